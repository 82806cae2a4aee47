"""Programs pass by the middleware of browsers, and browsers never do."""

import pytest

from portal.accounts.models import Session

pytestmark = pytest.mark.django_db


def test_a_program_gets_no_session_and_strict_headers(desk_api):
    before = Session.objects.count()
    answer = desk_api.get("/api/patients")
    assert answer.status_code == 200
    assert not answer.cookies
    assert Session.objects.count() == before
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("header", ["", "Basic x", "Token x"])
def test_a_session_still_needs_its_csrf_token(client, front_desk, header):
    client.force_login(front_desk)
    client.handler.enforce_csrf_checks = True
    answer = client.post(
        "/api/patients",
        {"name": "A B"},
        content_type="application/json",
        headers={"Authorization": header} if header else {},
    )
    assert answer.status_code == 403


def test_a_bad_token_opens_nothing_for_a_session(client, front_desk):
    """Red when a request that says it is a program is let in by its cookie without a CSRF token."""
    client.force_login(front_desk)
    client.handler.enforce_csrf_checks = True
    answer = client.post(
        "/api/patients",
        {"name": "A B"},
        content_type="application/json",
        headers={"Authorization": "Bearer x"},
    )
    assert answer.status_code == 401


def test_a_page_is_a_browsers_even_with_a_token(desk_api):
    assert desk_api.get("/patients/").status_code == 302


def test_the_browsable_api_is_for_browsers(desk_api):
    answer = desk_api.get("/api/patients", headers={"Accept": "text/html"})
    assert answer.status_code == 200
    assert "text/html" in answer.headers["Content-Type"]
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
