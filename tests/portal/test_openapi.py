"""What the OpenAPI document says of errors and bounds."""

import pytest

pytestmark = pytest.mark.django_db
PROBLEM = "application/problem+json"


@pytest.fixture
def document(client, front_desk):
    client.force_login(front_desk)
    return client.get("/api/schema?format=json").json()


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method in {"get", "post", "put", "patch", "delete"}:
                yield f"{method} {path}", operation


def test_every_route_declares_its_errors_as_problems(document):
    names = {name for name, _ in operations(document)}
    assert {"post /auth/login", "delete /api/patients/{patient_id}"} <= names
    for name, operation in operations(document):
        errors = {
            status: [*response.get("content", {})]
            for status, response in operation["responses"].items()
            if status == "default" or status >= "400"
        }
        assert {"400", "401", "503", "default"} <= errors.keys(), name
        assert {*map(tuple, errors.values())} == {(PROBLEM,)}, name


def test_routes_declare_the_errors_of_their_headers_and_addresses(document):
    declared = {name: {*operation["responses"]} for name, operation in operations(document)}
    assert {"409", "413", "415", "422"} <= declared["post /api/patients"]
    assert {"404", "409", "410", "412"} <= declared["patch /api/patients/{patient_id}"]
    assert "429" in declared["post /auth/login"]


@pytest.mark.parametrize(
    "name", ["NewPatientBody", "PatchedPatientBody", "Identifier", "MergeBody"]
)
def test_bodies_take_no_unknown_members(document, name):
    assert document["components"]["schemas"][name]["additionalProperties"] is False


def test_bounds_are_in_the_document(document):
    schemas = document["components"]["schemas"]
    person = schemas["NewPatientBody"]["properties"]
    assert person["identifiers"]["maxItems"] == 50
    assert person["familyName"]["maxLength"] == 120
    assert person["duplicateReason"]["maxLength"] == 500
    merge = schemas["MergeBody"]["properties"]
    assert merge["reason"]["maxLength"] == 500
    assert "maxItems" in merge["take"]
