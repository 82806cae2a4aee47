"""While the database is away every channel answers 503 and when to try again, never a bug."""

import pytest
from django.db import connection
from rest_framework.test import APIClient

from tests.portal.conftest import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def take_database_away():
    """Makes the next connection fail."""
    here = connection.settings_dict["HOST"]

    def take():
        connection.close()
        connection.settings_dict["HOST"] = "/nowhere"

    yield take
    connection.close()
    connection.settings_dict["HOST"] = here


def find_patients(client):
    return client.get("/api/patients")


def register(client):
    return client.post("/api/patients", {"familyName": "Example"}, format="json")


def sign_in(_):
    pair = {"email": "a@clinic.example", "password": PASSWORD}
    return APIClient().post("/auth/login", pair, format="json")


@pytest.mark.parametrize("send", [find_patients, register, sign_in])
def test_the_api_answers_503_and_says_what_to_do(desk_api, take_database_away, send):
    take_database_away()
    answer = send(desk_api)
    assert (answer.status_code, answer["Retry-After"]) == (503, "2")
    assert answer["Content-Type"] == "application/problem+json"
    assert "try again" in answer.json()["detail"]


@pytest.mark.parametrize("address", ["/patients/", "/dashboard/", "/"])
def test_a_page_answers_in_the_staff_layout(client, front_desk, take_database_away, address):
    client.force_login(front_desk)
    client.raise_request_exception = False
    take_database_away()
    answer = client.get(address)
    assert (answer.status_code, answer["Retry-After"]) == (503, "2")
    assert "The database does not answer" in answer.content.decode()
