"""The form of an answer: what a route has, what a client asked for, and errors as JSON."""

import json

import pytest

pytestmark = pytest.mark.django_db
ROUTES = ("/api/patients", "/api/analytics", "/api/schema", "/api/docs", "/auth/login")
FORMS = ("*/*", "text/*", "TEXT/HTML", "application/json", "application/xml", "text/html")


@pytest.fixture(params=["token", "session"])
def api(request, desk_api, client, front_desk):
    """A program with its token, or a browser with its session."""
    if request.param == "token":
        desk_api.raise_request_exception = False
        return desk_api
    client.raise_request_exception = False
    client.force_login(front_desk)
    return client


@pytest.mark.parametrize("accept", FORMS)
@pytest.mark.parametrize("query", ["", "?format=api", "?format=json", "?format=xml"])
@pytest.mark.parametrize("route", ROUTES)
def test_every_form_is_answered_or_refused_as_a_problem_in_json(api, route, query, accept):
    """Red where a page is made for a program, which has no session, or a problem is YAML."""
    answer = api.get(f"{route}{query}", headers={"Accept": accept})
    assert answer.status_code in {200, 405, 406, 503}
    if answer.status_code != 200:
        assert answer["Content-Type"] == "application/problem+json"
        assert json.loads(answer.content)["status"] == answer.status_code


@pytest.mark.parametrize(
    ("address", "accept", "types"),
    [
        ("/api/patients", "application/xml", ["application/json", "text/html"]),
        ("/api/patients?format=xml", "*/*", ["application/json", "text/html"]),
        ("/api/docs", "application/json", ["text/html"]),
        ("/api/schema", "text/html", ["application/yaml", "application/json"]),
    ],
)
def test_a_form_that_a_route_lacks_is_answered_with_those_that_it_has(
    client, front_desk, address, accept, types
):
    client.force_login(front_desk)
    answer = client.get(address, headers={"Accept": accept})
    assert answer.status_code == 406
    assert all(f"`{name}`" in answer.json()["detail"] for name in types)


def test_a_program_is_told_of_json_alone(desk_api):
    answer = desk_api.get("/api/patients?format=api", headers={"Accept": "application/xml"})
    assert (answer.status_code, answer.json()["detail"]) == (
        406,
        "Ask for `application/json` in Accept. Leave `format` out, or send `json` with an Accept "
        "that fits it.",
    )
