"""A search as a file: what the list finds, for users with the right, each access recorded."""

import csv
import io
import json

import pytest

from portal.patients.models import AccessRecord, Source
from portal.patients.services import register_patients
from tests.portal.imports.files import ANNA, BEN

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(client, make_user):
    user = make_user("operator")
    client.force_login(user)
    return user


@pytest.fixture
def people():
    evil = {"family_name": "=HYPERLINK(1)", "given_name": "Eve", "sex": "female"}
    names = ("family_name", "given_name", "sex")
    plain = [{name: person[name] for name in names} for person in (ANNA, BEN)]
    return register_patients([*plain, evil], by=None, source=Source.COMMAND)


def export_text(client, address):
    return b"".join(client.get(address).streaming_content).decode("utf-8-sig")


def test_the_export_has_what_the_list_finds_and_is_recorded(client, operator, people):
    response = client.get("/patients/export.csv?sex=female")
    rows = list(
        csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig")))
    )
    assert sorted(row["given_name"] for row in rows) == ["Anna", "Eve"]
    assert response["Content-Disposition"].startswith('attachment; filename="patients-2')
    assert response["Cache-Control"] == "no-store"
    [read] = AccessRecord.objects.filter(user=operator)
    assert (read.action, read.request_id) == ("export", response["X-Request-Id"])
    assert {str(patient_id) for patient_id in read.patient_ids} == {row["id"] for row in rows}


def test_a_patient_who_only_sounds_alike_is_not_in_the_file(client, operator, people):
    """Red when the file takes what the list guesses: strangers would be exported too."""
    stranger = {"family_name": "Beispeil", "given_name": "Anna", "sex": "female"}
    register_patients([stranger], by=None, source=Source.COMMAND)
    assert "BEISPEIL" in client.get("/patients/?q=beispiel+anna").content.decode()
    rows = list(
        csv.DictReader(io.StringIO(export_text(client, "/patients/export.csv?q=beispiel+anna")))
    )
    assert [row["family_name"] for row in rows] == ["Beispiel"]
    assert AccessRecord.objects.get(action="export").patient_ids == [people[0].pk]
    assert (
        export_text(client, "/patients/export.csv?q=beispeel").count("\n") == 1
    )  # The header alone.
    assert "export.csv" not in client.get("/patients/?q=beispeel").content.decode()


def test_a_formula_is_harmless_in_the_file(client, operator, people):
    assert "'=HYPERLINK(1)" in export_text(client, "/patients/export.csv?q=eve")


def test_ndjson_has_a_fhir_patient_on_each_line(client, operator, people):
    [anna] = map(json.loads, export_text(client, "/patients/export.ndjson?q=beispiel").splitlines())
    assert (anna["resourceType"], anna["name"][0]["family"]) == ("Patient", "Beispiel")


def test_the_list_leads_to_the_export_of_what_is_asked_and_not_of_one_page(
    client, operator, people
):
    page = client.get("/patients/?q=beispiel&after=").content.decode()
    assert "/patients/export.csv?q=beispiel" in page


@pytest.mark.parametrize("role", ["front desk", "clinician", "auditor"])
def test_other_roles_may_not_export(client, make_user, people, role):
    client.force_login(make_user(role))
    assert client.get("/patients/export.csv").status_code == 403
    assert "export.csv" not in client.get("/patients/").content.decode()


def test_another_kind_of_file_is_not_there(client, operator):
    assert client.get("/patients/export.pdf").status_code == 404
