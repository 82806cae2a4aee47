"""A search as a file: what the list finds and nothing else, for holders of the right, each patient recorded as read."""

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
    plain = [
        {name: one[name] for name in ("family_name", "given_name", "sex")} for one in (ANNA, BEN)
    ]
    return register_patients([*plain, evil], by=None, source=Source.COMMAND)


def exported(client, address):
    return b"".join(client.get(address).streaming_content).decode()


def test_the_export_has_what_the_list_finds_and_every_patient_in_it_is_recorded(
    client, operator, people
):
    answer = client.get("/patients/export.csv?sex=female")
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert sorted(row["given_name"] for row in rows) == ["Anna", "Eve"]
    assert answer["Content-Disposition"].startswith('attachment; filename="patients-2')
    assert answer["Cache-Control"] == "no-store"
    [read] = AccessRecord.objects.filter(user=operator)
    assert (read.action, read.request_id) == ("export", answer["X-Request-Id"])
    assert {str(one) for one in read.patient_ids} == {row["id"] for row in rows}


def test_who_merely_sounds_alike_is_in_the_list_and_not_in_the_file(client, operator, people):
    """Red when the file takes what the list guesses: strangers would leave the house with the one who was meant."""
    stranger = {"family_name": "Beispeil", "given_name": "Anna", "sex": "female"}
    register_patients([stranger], by=None, source=Source.COMMAND)
    assert "BEISPEIL" in client.get("/patients/?q=beispiel+anna").content.decode()
    rows = list(
        csv.DictReader(io.StringIO(exported(client, "/patients/export.csv?q=beispiel+anna")))
    )
    assert [row["family_name"] for row in rows] == ["Beispiel"]
    assert AccessRecord.objects.get(action="export").patient_ids == [people[0].pk]
    assert exported(client, "/patients/export.csv?q=beispeel").count("\n") == 1  # The header alone.
    assert "export.csv" not in client.get("/patients/?q=beispeel").content.decode()


def test_a_formula_is_harmless_in_the_file(client, operator, people):
    assert "'=HYPERLINK(1)" in exported(client, "/patients/export.csv?q=eve")


def test_ndjson_has_a_fhir_patient_on_each_line(client, operator, people):
    [anna] = map(json.loads, exported(client, "/patients/export.ndjson?q=beispiel").splitlines())
    assert (anna["resourceType"], anna["name"][0]["family"]) == ("Patient", "Beispiel")


def test_the_list_leads_to_the_export_of_what_is_asked_and_not_of_one_page(
    client, operator, people
):
    page = client.get("/patients/?q=beispiel&after=").content.decode()
    assert "/patients/export.csv?q=beispiel" in page


@pytest.mark.parametrize("role", ["front desk", "clinician", "auditor"])
def test_nobody_else_takes_patients_out(client, make_user, people, role):
    client.force_login(make_user(role))
    assert client.get("/patients/export.csv").status_code == 403
    assert "export.csv" not in client.get("/patients/").content.decode()


def test_another_kind_of_file_is_not_there(client, operator):
    assert client.get("/patients/export.pdf").status_code == 404
