"""JSON of every route: its depth, size and members are bounded, and the answer says how."""

import json
import time

import pytest

from portal.patients.models import Patient

pytestmark = pytest.mark.django_db
PERSON = {"familyName": "Sample", "givenName": "Lena"}
DEEP = "[" * 10_000 + "]" * 10_000


@pytest.fixture
def place(desk_api):
    """The address of a registered patient."""
    return desk_api.post("/api/patients", PERSON, format="json")["Location"]


def send(client, method, address, text, **headers):
    return client.generic(method, address, text, content_type="application/json", **headers)


@pytest.mark.parametrize("text", [DEEP, f'{{"familyName":{DEEP}}}', "[" * 10_000, '{"a":' * 9_000])
@pytest.mark.parametrize("address", ["/auth/login", "/auth/refresh", "/auth/logout"])
def test_a_stranger_s_deep_json_is_refused_in_words(client, address, text):
    answer = send(client, "POST", address, text)
    assert answer.status_code == 400
    assert "at most 16 levels deep" in answer.json()["detail"]


def test_deep_json_of_users_is_refused_in_words(desk_api, place):
    routes = [
        ("POST", "/api/patients"),
        ("PUT", place),
        ("PATCH", place),
        ("POST", f"{place}/merge"),
    ]
    for method, address in routes:
        answer = send(desk_api, method, address, DEEP)
        assert answer.status_code == 400, address
        assert "at most 16 levels deep" in answer.json()["detail"]


def test_brackets_in_a_text_are_no_depth(desk_api):
    body = {**PERSON, "city": "[{" * 20 + '\\"'}
    assert desk_api.post("/api/patients", body, format="json").status_code == 201


def test_texts_without_an_end_cost_no_time(client):
    began = time.process_time()
    assert send(client, "POST", "/auth/login", '"' + '\\"' * 500_000).status_code == 400
    assert time.process_time() - began < 5


def test_a_body_beyond_two_megabytes_is_too_large(client):
    answer = send(client, "POST", "/auth/login", json.dumps({"email": "x" * 2_200_000}))
    assert (answer.status_code, answer.json()["detail"]) == (413, "Send at most 2048 KB.")


@pytest.mark.parametrize("text", ["{", '{"a":NaN}', '{"a":' + "1" * 5_000 + "}", b'{"a":"\xff"}'])
def test_what_is_no_json_is_refused_without_a_word_of_it(client, text):
    answer = send(client, "POST", "/auth/login", text)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("This is not JSON: ")


def test_a_member_that_comes_twice_is_refused(desk_api):
    answer = send(desk_api, "POST", "/api/patients", '{"name":"Ann Bell","name":"Cy Dorn"}')
    assert answer.status_code == 400
    assert "“name” comes twice" in answer.json()["detail"]
    assert not Patient.objects.exists()


def test_many_unknown_members_are_counted_and_the_first_are_named(desk_api, place):
    body = {f"unknown_{number}": 1 for number in range(400)}
    for address in ("/api/patients", f"{place}/merge"):
        answer = desk_api.post(address, body, format="json")
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["pointer"] == "#/unknown_0"
        assert len(answer.json()["errors"]) == 20
        assert answer.json()["errorCount"] >= 400


def test_an_object_has_a_bounded_number_of_members(desk_api, place):
    many = {f"unknown_{number}": 1 for number in range(100_000)}
    for address in ("/api/patients", f"{place}/merge", "/auth/login"):
        for body in (many, {"identifiers": [many]}):
            answer = desk_api.post(address, body, format="json")
            assert answer.status_code == 400
            assert "at most 500 members in one object" in answer.json()["detail"]


@pytest.mark.parametrize(
    "charset", ["latin-1", "utf-7", "unicode_escape", "foo", "base64", "hex", "utf-16", "idna"]
)
def test_json_has_the_one_charset_that_json_has(client, charset):
    for quoted in (charset, f'"{charset}"'):
        answer = client.generic(
            "POST", "/auth/login", "{}", content_type=f"application/json; charset={quoted}"
        )
        assert answer.status_code == 415
        assert "in UTF-8" in answer.json()["detail"]


def test_a_wrong_content_type_is_not_repeated(client):
    answer = client.generic("POST", "/auth/login", "{}", content_type="x" * 20_000)
    assert (answer.status_code, "xxx" in answer.json()["detail"]) == (415, False)


def test_the_name_of_an_unknown_member_is_told_as_it_was_sent(desk_api):
    text = '{"family_name":"X","_links":1,"\\ud800":1}'
    answer = send(desk_api, "POST", "/api/patients", text)
    pointers = [error["pointer"] for error in answer.json()["errors"]]
    assert pointers[:3] == ["#/family_name", "#/_links", "#/?"]


@pytest.mark.parametrize("tag", ['"²"', '"٣"', f'"{"1" * 5_000}"', '"-1"', '"', '"1.0"'])
def test_a_strange_tag_matches_nothing(desk_api, place, tag):
    for method in ("PATCH", "DELETE"):
        answer = send(desk_api, method, place, '{"city":"Leeds"}', HTTP_IF_MATCH=tag)
        assert answer.status_code == 412
    assert Patient.objects.get().status == "active"


@pytest.mark.parametrize("version", ["²", "1" * 5_000, "abc", "-1", "1.0"])
def test_no_page_archives_with_a_strange_version(desk_api, place, client, front_desk, version):
    client.force_login(front_desk)
    address = place.removeprefix("/api") + "/archive/"
    assert client.post(address, {"version": version}).status_code == 400
    assert Patient.objects.get().status == "active"


def test_a_method_that_the_list_does_not_have_is_not_allowed(desk_api):
    answer = desk_api.delete("/api/patients")
    assert (answer.status_code, answer["Allow"]) == (405, "GET, POST, HEAD, OPTIONS")
    assert answer["Content-Type"] == "application/problem+json"
