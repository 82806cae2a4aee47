"""No address answers 500, whatever the method, the query or the header."""

import pytest
from rest_framework_simplejwt.tokens import AccessToken

from portal.middleware import METHODS
from tests.portal.test_nothing_is_stored import INTERNAL, addresses, patient_id, superuser

pytestmark = pytest.mark.django_db
__all__ = ["patient_id", "superuser"]  # Fixtures.


@pytest.fixture
def lenient(client):
    """A client that gets the answer 500 instead of the exception."""
    client.raise_request_exception = False
    return client


def failures(client, patient_id, method: str, query: str = "") -> set[str]:
    failed = set()
    for route, address in addresses(patient_id).items():
        if "logout" in route or route.startswith("sign-out"):
            continue
        port = {"SERVER_PORT": "4003"} if route in INTERNAL else {}
        if client.generic(method, f"{address}{query}", **port).status_code == 500:
            failed.add(route)
    return failed


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "BREW"])
def test_no_method_makes_an_error_of_ours(lenient, patient_id, superuser, method):
    lenient.force_login(superuser)
    assert failures(lenient, patient_id, method) == set()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_method_of_a_stranger_makes_an_error_of_ours(lenient, patient_id, method):
    assert failures(lenient, patient_id, method) == set()


@pytest.mark.parametrize(
    "query", ["?status__exact=%00", "?q=%00", "?next=abc", "?p=%ED%A0%80", "?o=%00&e=1"]
)
def test_no_query_makes_an_error_of_ours(lenient, patient_id, superuser, query):
    lenient.force_login(superuser)
    assert failures(lenient, patient_id, "GET", query) == set()


@pytest.mark.parametrize(
    "wanted", ["abc", "sign-in", "accounts:profile", "./x", "http:abc", "\x00"]
)
def test_a_wanted_page_that_is_no_address_leads_to_the_start(client, front_desk, wanted):
    client.force_login(front_desk)
    assert client.get("/sign-in/", {"next": wanted})["Location"] == "/"


@pytest.mark.parametrize("user_id", ["abc", "", None, [1], {"a": 1}, 10**40, -1, 1.5, "1e400"])
def test_a_token_with_a_strange_user_id_is_refused(lenient, user_id):
    token = AccessToken()
    token["user_id"] = user_id
    answer = lenient.get("/api/patients", HTTP_AUTHORIZATION=f"Bearer {token}")
    assert answer.status_code == 401


def test_made_up_methods_count_as_other(client):
    for number in range(5):
        client.generic(f"BREW{number}", "/sign-in/")
    text = client.get("/metrics", SERVER_PORT="4003").content.decode()
    assert 'method="other"' in text
    assert "BREW" not in text
    assert {"GET", "POST"} <= METHODS


def test_reading_a_page_that_only_takes_forms_is_not_allowed(client, patient_id, superuser):
    client.force_login(superuser)
    for address in ("/sign-out/", "/profile/keys/", f"/patients/{patient_id}/archive/"):
        answer = client.get(address)
        assert (answer.status_code, answer["Allow"]) == (405, "POST")
        assert "Open the page that has the form" in answer.content.decode()
