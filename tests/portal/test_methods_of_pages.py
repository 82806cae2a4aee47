"""A page takes the methods that it has a use for, and answers all others with 405."""

import pytest

from tests.portal.test_nothing_is_stored import INTERNAL, addresses, patient_id, superuser

pytestmark = pytest.mark.django_db
__all__ = ["patient_id", "superuser"]  # Fixtures.
ALSO_PROGRAMS = ("api/", "auth/")  # The REST API has its own methods, and answers OPTIONS.


def answers(client, patient_id, method):
    """Yields each route of a page with its answer to the method."""
    for route, address in addresses(patient_id).items():
        if not route.startswith(ALSO_PROGRAMS):
            port = {"SERVER_PORT": "4003"} if route in INTERNAL else {}
            yield route, client.generic(method, address, **port)


@pytest.mark.parametrize("method", ["TRACE", "PUT", "DELETE", "OPTIONS", "BREW"])
def test_a_page_refuses_methods_that_no_page_has(client, patient_id, superuser, method):
    client.force_login(superuser)
    taken = {
        route
        for route, answer in answers(client, patient_id, method)
        if (answer.status_code, bool(answer.get("Allow"))) != (405, True)
    }
    assert taken == set()


@pytest.mark.parametrize("method", ["TRACE", "PUT", "BREW"])
def test_the_sign_in_page_refuses_them_from_strangers(client, method):
    answer = client.generic(method, "/sign-in/")
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD, POST")


def test_a_page_that_is_only_read_takes_no_form(client, patient_id, superuser):
    client.force_login(superuser)
    for address in ("/", f"/patients/{patient_id}/", "/audit/", "/help/keys/"):
        answer = client.post(address)
        assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")
        assert "only be read" in answer.content.decode()
