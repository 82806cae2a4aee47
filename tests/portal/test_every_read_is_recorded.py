"""P6: every page that shows a patient leaves an access record. A planted view makes this red."""

import io
from uuid import UUID

import pytest
from django.contrib import admin
from django.core.management import call_command
from django.http import HttpResponse
from django.urls import path, resolve, reverse

from portal.accounts.models import User
from portal.imports.models import ImportJob
from portal.patients.models import AccessRecord, Patient, PossibleDuplicate
from portal.patients.services import change_patient, register_patient
from portal.reconciliation.models import ReconcileReport
from tests.portal.patients.identifier_rows import NO_ROWS
from tests.portal.test_every_route_has_a_rule import portal_routes

pytestmark = pytest.mark.django_db
# The search uses another name than the one that is looked for in answers, so that a page which only
# repeats the search text does not count as showing the patient.
GIVEN_NAME = "Xanthippe"
FAMILY_NAME = "Wolfeschlegelstein"
QUERIES_AND_HEADERS = [
    ({}, {}),
    ({"q": FAMILY_NAME}, {}),
    ({"q": FAMILY_NAME}, {"HX-Request": "true"}),
]
CHANNELS = {"admin": "admin", "api": "api"}  # By the first part of the address; else the portal.
MUST_SHOW = {
    "patients/",
    "patients/suggest/",
    "patients/<uuid:patient_id>/",
    "patients/<uuid:patient_id>/edit/",
    "patients/<uuid:patient_id>/history/",
    "patients/<uuid:patient_id>/billing/",
    "patients/duplicates/",
    "patients/export.csv",
    "patients/export.ndjson",
    "imports/<uuid:job_id>/review/<slug:doubt>/",
    "billing/",
    "api/patients",
    "api/patients/<uuid:patient_id>",
    "api/patients/<uuid:patient_id>/history",
    "admin/patients/patient/",
    "admin/patients/patient/{id}/change/",
    "admin/patients/patientevent/{id}/change/",
}


@pytest.fixture
def patient():
    details = {"family_name": FAMILY_NAME, "given_name": GIVEN_NAME}
    patient = register_patient(details, by=None, source="portal")
    return change_patient(patient.pk, {"city": "Leeds"}, by=None, source="portal")


@pytest.fixture
def root(client):
    user = User.objects.create_superuser("root@clinic.example", "correct-horse-battery")
    client.force_login(user)
    return client


def all_pages(patient) -> dict[str, str]:
    """Returns an address for every route, and for the pages of each model in the admin."""
    job = ImportJob.objects.create(
        original_name="people.csv", file_format="csv", size_bytes=1, dry_run=True, status="done"
    )
    people = [str(patient.pk)]
    job.questions.create(
        row_number=2, doubt="likely", people=people, details={"given_name": "Xenia"}
    )
    AccessRecord.objects.create(action="open", door="portal", patient_ids=[patient.pk])
    other = Patient.objects.create(pk=UUID(int=1), family_name="Able")
    pair = PossibleDuplicate.objects.create(first=other, second=patient, grade="probable")
    # The last event is the patient's, which `admin_pages` opens.
    change_patient(patient.pk, {"city": "York"}, by=None, source="portal")
    known = {
        "patient_id": patient.pk,
        "other_id": other.pk,
        "pair_id": pair.pk,
        "job_id": job.pk,
        "report_id": ReconcileReport.objects.create().pk,
        "doubt": "likely",
        "profile_id": 1,  # Saved columns of an import name no patient.
        "record_id": AccessRecord.objects.latest("id").pk,
    }
    pages = {}
    for route, _view in portal_routes():
        address = "/" + route
        for part in [part for part in route.split("/") if part.startswith("<")]:
            name = part.strip("<>").split(":")[-1]
            assert name in known, f"Give this test a value for {part} in {route}"
            address = address.replace(part, str(known[name]))
        pages[route] = address
    return pages | admin_pages()


def admin_pages() -> dict[str, str]:
    pages = {}
    for model in admin.site._registry:
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        place = reverse(f"admin:{name}_changelist")
        pages[place[1:]] = place
        if last := model._default_manager.order_by("-pk").first():
            for page in ("change", "history"):
                address = reverse(f"admin:{name}_{page}", args=[last.pk])
                pages[f"{place[1:]}{{id}}/{page}/"] = address
    return pages


def shows_unrecorded(client, patient, address: str, query, headers) -> bool | None:
    """Returns whether the page shows the patient without an access record of its channel.

    None where it does not show the patient.
    """
    before = list(AccessRecord.objects.values_list("pk", flat=True))
    answer = client.get(address, query, headers=headers)
    body = b"".join(answer) if answer.streaming else answer.content
    if GIVEN_NAME.lower() not in body.decode().lower():
        return None
    channel = CHANNELS.get(address.split("/")[1], "portal")
    new = AccessRecord.objects.exclude(pk__in=before)
    return not new.filter(patient_ids__contains=[patient.pk], door=channel).exists()


def test_every_page_that_shows_a_patient_records_it(root, patient):
    shown, unrecorded = set(), set()
    for route, address in all_pages(patient).items():
        for query, headers in QUERIES_AND_HEADERS:
            verdict = shows_unrecorded(root, patient, address, query, headers)
            if verdict is not None:
                shown.add(route)
            if verdict:
                unrecorded.add((route, *query, *headers))
    assert not unrecorded
    assert shown >= MUST_SHOW


def test_a_page_that_records_nothing_would_be_found(root, patient, settings):
    class Planted:
        urlpatterns = [path("planted/", lambda request: HttpResponse(f"This is {GIVEN_NAME}"))]

    settings.ROOT_URLCONF = Planted
    assert resolve("/planted/")
    assert shows_unrecorded(root, patient, "/planted/", {}, {})


def test_answers_to_writes_are_recorded_too(root, patient):
    """A refusal shows the possible duplicate; a change by the API answers with the patient."""
    names = {"family_name": FAMILY_NAME, "given_name": GIVEN_NAME}
    known = register_patient({**names, "date_of_birth": "1984-03-15"}, by=None, source="portal")
    form = {
        **NO_ROWS,
        **names,
        "sex": "female",
        "token": "a" * 32,
        "date_of_birth_0": "15",
        "date_of_birth_1": "3",
        "date_of_birth_2": "1984",
    }
    assert root.post("/patients/new/", form).status_code == 409
    assert AccessRecord.objects.filter(patient_ids__contains=[known.pk], door="portal").exists()
    answer = root.patch(f"/api/patients/{patient.pk}", {"city": "York"}, "application/json")
    assert answer.status_code == 200
    opened = AccessRecord.objects.filter(door="api", action="open")
    assert opened.filter(patient_ids__contains=[patient.pk]).exists()


def test_an_export_by_command_is_recorded(patient, capsys):
    call_command("export_patients", stderr=io.StringIO())
    assert GIVEN_NAME in capsys.readouterr().out
    [record] = AccessRecord.objects.all()
    assert (record.door, record.patient_ids) == ("command", [patient.pk])


def test_recent_patients_on_the_list_are_recorded_again(root, patient):
    """Also an archived patient, whom the list itself does not have."""
    root.get(f"/patients/{patient.pk}/")
    Patient.objects.filter(pk=patient.pk).update(status="archived")
    assert shows_unrecorded(root, patient, "/patients/", {}, {}) is False
