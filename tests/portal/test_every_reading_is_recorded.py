"""P6: whoever shows a patient leaves a row that says so. A planted view that shows a name by itself makes this red."""

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
from tests.portal.test_every_route_has_a_rule import ours

pytestmark = pytest.mark.django_db
MARK = "Xanthippe"  # The search knows her by another name, so that an echo of what was typed is not taken for her.
SOUGHT = "Wolfeschlegelstein"
WAYS = [({}, {}), ({"q": SOUGHT}, {}), ({"q": SOUGHT}, {"HX-Request": "true"})]
DOORS = {"admin/": "admin", "api/": "api"}
MUST_SHOW = {
    "patients/", "patients/suggest/", "patients/<uuid:patient_id>/", "patients/<uuid:patient_id>/edit/",
    "patients/export.csv", "patients/export.ndjson", "imports/<uuid:job_id>/review/<slug:doubt>/",
    "patients/<uuid:patient_id>/history/", "patients/<uuid:patient_id>/billing/", "billing/", "patients/duplicates/",
    "api/patients", "api/patients/<uuid:patient_id>", "api/patients/<uuid:patient_id>/history",
    "admin/patients/patient/", "admin/patients/patient/{id}/change/", "admin/patients/patientevent/{id}/change/",
}  # fmt: skip


@pytest.fixture
def patient():
    made = register_patient({"family_name": SOUGHT, "given_name": MARK}, by=None, source="portal")
    return change_patient(made.pk, {"city": "Leeds"}, by=None, source="portal")


@pytest.fixture
def root(client):
    client.force_login(
        User.objects.create_superuser("root@clinic.example", "correct-horse-battery")
    )
    return client


def pages(patient) -> dict[str, str]:
    """Every route with an address of it, the admin's by model."""
    job = ImportJob.objects.create(
        original_name="people.csv", file_format="csv", size_bytes=1, dry_run=True, status="done"
    )
    job.questions.create(
        row_number=2, doubt="likely", people=[str(patient.pk)], details={"given_name": "Xenia"}
    )
    AccessRecord.objects.create(action="open", door="portal", patient_ids=[patient.pk])
    other = Patient.objects.create(pk=UUID(int=1), family_name="Able")
    change_patient(
        patient.pk, {"city": "York"}, by=None, source="portal"
    )  # Of her is what the admin has last.
    known = {
        "patient_id": patient.pk,
        "other_id": other.pk,
        "pair_id": PossibleDuplicate.objects.create(
            first=other, second=patient, grade="probable"
        ).pk,
        "job_id": job.pk,
        "report_id": ReconcileReport.objects.create().pk,
        "doubt": "likely",
        "profile_id": 1,  # Saved columns of an import name nobody.
        "record_id": AccessRecord.objects.latest("id").pk,
    }
    found = {}
    for route, _view in ours():
        address = "/" + route
        for part in [part for part in route.split("/") if part.startswith("<")]:
            name = part.strip("<>").split(":")[-1]
            assert name in known, f"Tell this test what stands for {part} in {route}"
            address = address.replace(part, str(known[name]))
        found[route] = address
    return found | admin_pages()


def admin_pages() -> dict[str, str]:
    found = {}
    for model in admin.site._registry:
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        place = reverse(f"admin:{name}_changelist")
        found[place[1:]] = place
        if one := model._default_manager.order_by("-pk").first():
            for page in ("change", "history"):
                address = reverse(f"admin:{name}_{page}", args=[one.pk])
                found[f"{place[1:]}{{id}}/{page}/"] = address
    return found


def shows_unrecorded(client, patient, address: str, query, headers) -> bool | None:
    """None where the page shows nobody; else whether it left no row of this patient and this door."""
    before = list(AccessRecord.objects.values_list("pk", flat=True))
    answer = client.get(address, query, headers=headers)
    body = b"".join(answer) if answer.streaming else answer.content
    if MARK.lower() not in body.decode().lower():
        return None
    channel = next(
        (channel for start, channel in DOORS.items() if address.startswith("/" + start)), "portal"
    )
    rows = AccessRecord.objects.exclude(pk__in=before).filter(
        patient_ids__contains=[patient.pk], door=channel
    )
    return not rows.exists()


def test_every_page_that_shows_a_patient_records_it(root, patient):
    shown, unrecorded = set(), set()
    for route, address in pages(patient).items():
        for query, headers in WAYS:
            verdict = shows_unrecorded(root, patient, address, query, headers)
            if verdict is not None:
                shown.add(route)
            if verdict:
                unrecorded.add((route, *query, *headers))
    assert not unrecorded
    assert shown >= MUST_SHOW


def test_the_walk_would_find_a_page_that_tells_nobody(root, patient, settings):
    class Planted:
        urlpatterns = [path("planted/", lambda request: HttpResponse(f"This is {MARK}"))]

    settings.ROOT_URLCONF = Planted
    assert resolve("/planted/")
    assert shows_unrecorded(root, patient, "/planted/", {}, {})


def test_answers_to_what_was_sent_are_readings_too(root, patient):
    """A refusal shows who is here already; a change through the API answers with the patient."""
    asked = {"family_name": SOUGHT, "given_name": MARK, "date_of_birth": "1984-03-15"}
    there = register_patient(asked, by=None, source="portal")
    sent = {**NO_ROWS, "family_name": SOUGHT, "given_name": MARK, "sex": "female", "token": "a" * 32,
            "date_of_birth_0": "15", "date_of_birth_1": "3", "date_of_birth_2": "1984"}  # fmt: skip
    assert root.post("/patients/new/", sent).status_code == 409
    assert AccessRecord.objects.filter(patient_ids__contains=[there.pk], door="portal").exists()
    answer = root.patch(f"/api/patients/{patient.pk}", {"city": "York"}, "application/json")
    assert answer.status_code == 200
    assert AccessRecord.objects.filter(
        patient_ids__contains=[patient.pk], door="api", action="open"
    ).exists()


def test_an_export_by_command_is_a_reading(patient, capsys):
    call_command("export_patients", stderr=io.StringIO())
    assert MARK in capsys.readouterr().out
    assert list(AccessRecord.objects.values_list("door", "patient_ids")) == [
        ("command", [patient.pk])
    ]


def test_those_opened_lately_are_read_again_where_they_stand_on_the_list(root, patient):
    """Also where the list itself has others: she is archived, and stands there by name all the same."""
    root.get(f"/patients/{patient.pk}/")
    Patient.objects.filter(pk=patient.pk).update(status="archived")
    assert shows_unrecorded(root, patient, "/patients/", {}, {}) is False
