"""The layout of every page: navigation by right, request id, strips, errors in the same frame."""

import tomllib

import pytest
from django.conf import settings
from django.db import OperationalError
from django.test import RequestFactory
from django.utils.functional import SimpleLazyObject

from portal import health
from portal.patients.services import archive_patient, register_patient
from portal.problems import server_error

pytestmark = pytest.mark.django_db
FRONT_DESK_LABELS = ["Patients", "Duplicates", "Billing", "Dashboard"]
OPERATOR_LABELS = [
    "Patients",
    "Duplicates",
    "Imports",
    "Billing",
    "Dashboard",
    "Audit",
    "Reconciliation",
]


@pytest.mark.parametrize(
    ("role", "labels", "start"),
    [
        ("front desk", FRONT_DESK_LABELS, "/patients/"),
        ("analyst", ["Dashboard"], "/dashboard/"),
        ("operator", OPERATOR_LABELS, "/patients/"),
    ],
)
def test_a_role_sees_its_own_pages_and_starts_at_the_first(client, make_user, role, labels, start):
    client.force_login(make_user(role))
    answer = client.get("/", follow=True)
    assert answer.redirect_chain == [(start, 302)]
    assert [entry["label"] for entry in answer.context["nav_entries"]] == labels


def test_the_innermost_of_nested_navigation_entries_is_current(client, front_desk):
    client.force_login(front_desk)
    answer = client.get("/patients/duplicates/")
    entries = answer.context["nav_entries"]
    assert [entry["label"] for entry in entries if entry["is_current"]] == ["Duplicates"]


def test_a_user_without_a_role_learns_whom_to_ask(client, front_desk):
    front_desk.groups.clear()
    client.force_login(front_desk)
    answer = client.get("/")
    assert answer.status_code == 403
    assert "Your account has no role yet" in answer.content.decode()


def test_the_footer_shows_the_version_of_the_project(client):
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["project"]
    assert f"Patient Portal {project['version']}" in client.get("/sign-in/").content.decode()


def test_the_page_shows_the_request_id_of_the_answer(client, front_desk):
    client.force_login(front_desk)
    answer = client.get("/patients/")
    assert answer["X-Request-Id"] in answer.content.decode()


def test_each_late_part_has_a_strip_with_what_still_works(client, front_desk, monkeypatch):
    away = [health.Check("analytics", ok=False, still_works="The last known ones are shown.")]
    monkeypatch.setattr("portal.staff.context.checks_behind", lambda: away)
    client.force_login(front_desk)
    page = client.get("/patients/").content.decode()
    assert page.count("Live figures are away.") == page.count("The last known ones are shown.") == 1


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("/nowhere/", 404, "There is nothing at this address."),
        ("/patients/?after=nonsense", 400, "This cursor is not one of ours."),
        ("/imports/", 403, "You do not have the right to do this."),
    ],
)
def test_errors_share_the_layout(client, front_desk, address, status, words):
    client.force_login(front_desk)
    answer = client.get(address)
    page = answer.content.decode()
    assert (answer.status_code, "app-header" in page, words in page) == (status, True, True)


def test_archiving_a_patient_who_changed_meanwhile_is_refused(client, front_desk):
    patient = register_patient({"family_name": "Example"}, by=None, source="api")
    archive_patient(patient.pk, by=None, source="api")
    client.force_login(front_desk)
    answer = client.post(f"/patients/{patient.pk}/archive/", {"version": "1"})
    assert answer.status_code == 412
    assert "Someone else changed this" in answer.content.decode()


def test_the_error_page_opens_without_a_database():
    def away():
        raise OperationalError

    request = RequestFactory().get("/patients/")
    request.user = SimpleLazyObject(away)
    answer = server_error(request)
    assert answer.status_code == 500
    assert "Something went wrong on our side." in answer.content.decode()
