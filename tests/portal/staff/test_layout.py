"""What stands around every page: navigation by right, request id, what is behind, and errors in the same frame."""

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


@pytest.mark.parametrize(
    ("role", "places", "start"),
    [
        ("front desk", ["Patients", "Duplicates", "Billing", "Dashboard"], "/patients/"),
        ("analyst", ["Dashboard"], "/dashboard/"),
        (
            "operator",
            [
                "Patients",
                "Duplicates",
                "Imports",
                "Billing",
                "Dashboard",
                "Audit",
                "Reconciliation",
            ],
            "/patients/",
        ),
    ],
)
def test_a_role_sees_its_own_places_and_starts_at_the_first(client, make_user, role, places, start):
    client.force_login(make_user(role))
    answer = client.get("/", follow=True)
    assert answer.redirect_chain == [(start, 302)]
    assert [place["label"] for place in answer.context["places"]] == places


def test_of_two_places_one_below_the_other_the_lower_one_is_the_current(client, front_desk):
    client.force_login(front_desk)
    answer = client.get("/patients/duplicates/")
    assert [place["label"] for place in answer.context["places"] if place["is_current"]] == [
        "Duplicates"
    ]


def test_somebody_without_a_role_is_told_whom_to_ask(client, front_desk):
    front_desk.groups.clear()
    client.force_login(front_desk)
    answer = client.get("/")
    assert answer.status_code == 403
    assert "Your account has no role yet" in answer.content.decode()


def test_the_version_in_the_footer_is_the_projects(client):
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["project"]
    assert f"Patient Portal {project['version']}" in client.get("/sign-in/").content.decode()


def test_the_request_id_of_the_page_is_the_one_of_the_answer(client, front_desk):
    client.force_login(front_desk)
    answer = client.get("/patients/")
    assert answer["X-Request-Id"] in answer.content.decode()


def test_each_missing_part_has_one_strip_that_says_what_still_works(
    client, front_desk, monkeypatch
):
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


def test_archiving_a_patient_that_changed_meanwhile_is_refused_in_words(client, front_desk):
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
