"""No browser and no proxy keeps a page or an answer in which a patient or a token may be.

All routes are called. A new one is called too, and a view that allows storing turns this red.
"""

import re
import uuid

import pytest
from django.urls import get_resolver

from tests.portal.test_every_route_has_a_rule import all_routes

pytestmark = pytest.mark.django_db

# What may be kept, with its own Cache-Control: no patient and no token is in it.
MAY_BE_KEPT = {"favicon.ico", "dashboard/live/", "api/analytics/patients"}
INTERNAL = {"health/live", "health/ready", "metrics"}
VALUES = {
    "uuid": lambda patient: str(patient),
    "int": lambda _: "1",
    "str": lambda _: "x",
    "path": lambda _: "1",
    "slug": lambda _: "x",
}


def addresses(patient_id: uuid.UUID) -> dict[str, str]:
    """Returns an address of each route."""

    def fill(match: re.Match[str]) -> str:
        return VALUES[match[1] or "str"](patient_id)

    found = {}
    for route, _ in all_routes(get_resolver().url_patterns):
        plain = re.sub(r"<(?:(\w+):)?\w+>", fill, route)
        plain = re.sub(r"^(.*)\^\(\?P<\w+>[^)]*\)\$$", r"\1nothing", plain)  # the admin's last one
        found[route] = "/" + re.sub(r"\(\?P<\w+>[^)]*\)|[\^$\\]", "", plain)
    return found


@pytest.fixture
def patient_id(desk_api):
    body = {"familyName": "Orme", "givenName": "Ada", "dateOfBirth": "1984-03-04"}
    return uuid.UUID(desk_api.post("/api/patients", body, format="json").json()["id"])


@pytest.fixture
def superuser(django_user_model):
    return django_user_model.objects.create_superuser("root@clinic.example", "correct-horse-9")


def stored_routes(client, patient_id) -> set[str]:
    """Returns the routes whose answer to GET or POST may be stored."""
    stored = set()
    client.raise_request_exception = False
    for route, address in addresses(patient_id).items():
        port = {"SERVER_PORT": "4003"} if route in INTERNAL else {}
        answers = [client.get(address, **port)]
        if not route.startswith(("sign-", "admin/logout")):
            answers.append(client.post(address, **port))
        if any("no-store" not in answer.headers["Cache-Control"] for answer in answers):
            stored.add(route)
    return stored


def test_no_answer_to_a_signed_in_user_is_stored(client, patient_id, superuser):
    client.force_login(superuser)
    assert stored_routes(client, patient_id) <= MAY_BE_KEPT


def test_no_answer_to_a_stranger_is_stored(client, patient_id):
    assert stored_routes(client, patient_id) <= MAY_BE_KEPT


def test_the_page_and_the_answer_of_a_patient_are_not_stored(
    client, desk_api, patient_id, front_desk
):
    client.force_login(front_desk)
    page, answer = (
        client.get(f"/patients/{patient_id}/"),
        desk_api.get(f"/api/patients/{patient_id}"),
    )
    assert (page.status_code, page["Cache-Control"]) == (200, "no-store")
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")


def test_an_answer_with_a_token_is_not_stored(client, front_desk):
    pair = {"email": front_desk.email, "password": "correct-horse-battery"}
    answer = client.post("/auth/login", pair, content_type="application/json")
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")


def test_a_page_that_is_not_there_is_not_stored(client):
    assert client.get("/patients/no-such-page/Orme")["Cache-Control"] == "no-store"
