"""/api/patients by its contract: shapes, headers, rights, and what bad input gets."""

import json

import pytest
from django.utils import timezone

from portal.patients.models import AccessRecord, Patient, PatientEvent

pytestmark = pytest.mark.django_db
JANE = {"familyName": "Example", "givenName": "Jane", "dateOfBirth": "1984-03-15", "sex": "female"}


def post(api, body, **headers):
    return api.post("/api/patients", body, format="json", **headers)


def test_registering_answers_with_location_etag_and_the_whole_patient(desk_api):
    answer = post(desk_api, JANE)
    body = answer.json()
    assert answer.status_code == 201
    assert answer["Location"] == f"/api/patients/{body['id']}"
    assert answer["ETag"] == '"1"'
    assert body["name"] == "Jane Example"
    assert body["billing"] == {"status": "pending", "accountId": None}
    assert desk_api.get(answer["Location"]).json() == body


def test_the_body_of_older_clients_works_as_it_is(desk_api):
    body = {
        "name": "Jane Example",
        "email": "jane@mail.example",
        "address": "1 High Street, Leeds",
        "dateOfBirth": "1984-03-15",
        "registeredDate": "2024-11-28",
    }
    answer = post(desk_api, body)
    assert answer.status_code == 201
    assert {name: answer.json()[name] for name in body} == body


def test_older_clients_put_changes_what_it_names_and_keeps_the_rest(desk_api):
    place = post(desk_api, {**JANE, "phone": "020 7946 0000", "address": "1 High Street"})[
        "Location"
    ]
    body = {
        "name": "Jane Changed",
        "email": "j@mail.example",
        "address": "2 Low Street",
        "dateOfBirth": "1984-03-15",
    }
    changed = desk_api.put(place, body, format="json").json()
    assert (changed["name"], changed["address"], changed["phone"]) == (
        "Jane Changed",
        "2 Low Street",
        "020 7946 0000",
    )


@pytest.mark.parametrize("damage", ["\x00", "\ud800"])
@pytest.mark.parametrize("member", ["city", "identifiers", "duplicateReason"])
def test_a_damaged_text_is_refused_at_its_member(desk_api, member, damage):
    text = f"twin{damage}"
    value = [{"system": text, "value": "1"}] if member == "identifiers" else text
    body = json.dumps({**JANE, member: value})
    answer = desk_api.post("/api/patients", body, content_type="application/json")
    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == [f"#/{member}"]
    assert not Patient.objects.exists()


@pytest.mark.parametrize("name", ["\u200b", ".", "?"])
def test_a_name_that_nobody_can_say_is_refused(desk_api, name):
    answer = desk_api.post("/api/patients", {"familyName": name}, format="json")
    assert [error["code"] for error in answer.json()["errors"]] == ["required"]
    place = post(desk_api, JANE)["Location"]
    changed = desk_api.patch(place, {"familyName": name, "givenName": ""}, format="json")
    assert changed.status_code == 400


def test_invisible_characters_hide_nobody_from_the_search(desk_api):
    post(desk_api, {**JANE, "familyName": "Or\u00admond", "givenName": "Tilda"})
    for typed in ("ormond", "Or\u200bmond"):
        found = desk_api.get("/api/patients", {"q": typed}).json()
        assert [patient["familyName"] for patient in found] == ["Ormond"]


BRITISH = {
    "familyName": "Example",
    "phone": "020 7946 0958",
    "addressLine1": "1 Low Road",
    "city": "London",
    "postalCode": "SW1A 1AA",
    "country": "GB",
}


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("2 High Street", ["2 High Street", "London", "SW1A 1AA", "GB"]),
        ("2 High Street, London", ["2 High Street", "London", "SW1A 1AA", "GB"]),
        ("2 High Street, London, SW1A 1AA, GB", ["2 High Street", "London", "SW1A 1AA", "GB"]),
        ("2 High Street, Leeds", ["2 High Street, Leeds", "", "", "GB"]),
        ("2 Rue Haute, Paris, France", ["2 Rue Haute, Paris, France", "", "", "FR"]),
        ("", ["", "", "", ""]),
    ],
)
def test_an_address_in_one_line_keeps_what_it_does_not_say(desk_api, line, parts):
    place = post(desk_api, BRITISH)["Location"]
    changed = desk_api.patch(place, {"address": line}, format="json").json()
    names = ("addressLine1", "city", "postalCode", "country")
    assert [changed[name] for name in names] == parts
    assert Patient.objects.get().phone_e164 == "+442079460958"


def test_another_country_leaves_the_phone_a_number_until_the_phone_changes(desk_api):
    place = post(desk_api, BRITISH)["Location"]
    desk_api.patch(place, {"country": "US"}, format="json")
    assert Patient.objects.get().phone_e164 == "+442079460958"
    desk_api.patch(place, {"phone": "617 555 0100"}, format="json")
    assert Patient.objects.get().phone_e164 == "+16175550100"
    desk_api.patch(place, {"phone": "12345"}, format="json")
    assert Patient.objects.get().phone_e164 == ""


def test_what_get_answers_can_be_put_back_and_changes_nothing(desk_api):
    place = post(
        desk_api,
        {**JANE, "city": "Leeds", "identifiers": [{"system": "ssn", "value": "999-11-2222"}]},
    )["Location"]
    answer = desk_api.put(place, desk_api.get(place).json(), format="json")
    assert (answer.status_code, answer["ETag"]) == (200, '"1"')


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Niue"])
def test_who_is_registered_today_is_so_by_the_clinics_clock(desk_api, zone):
    """At any moment one of these two has another day than UTC."""
    with timezone.override(zone):
        today = timezone.localdate().isoformat()
        answer = post(desk_api, JANE)
        assert answer.json()["registeredDate"] == today
        assert desk_api.put(answer["Location"], answer.json(), format="json").status_code == 200


def test_every_wrong_field_is_named_at_once(desk_api):
    body = {
        "givenName": "J" * 200,
        "dateOfBirth": "1984-02-30",
        "sex": "f",
        "email": "x",
        "favouriteColour": "red",
    }
    answer = post(desk_api, body)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    problems = {problem["pointer"]: problem["code"] for problem in answer.json()["errors"]}
    assert problems == {
        "#/givenName": "too-long",
        "#/dateOfBirth": "no-such-date",
        "#/sex": "not-a-choice",
        "#/email": "bad-email",
        "#/favouriteColour": "unknown-field",
    }
    assert not Patient.objects.exists()


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({"name": " "}, "#/name"), ({"familyName": ""}, "#/familyName"), ({}, "#/familyName")],
)
def test_a_missing_name_is_pointed_out_where_it_was_sent(desk_api, body, pointer):
    assert [problem["pointer"] for problem in post(desk_api, body).json()["errors"]] == [pointer]


@pytest.mark.parametrize("body", [b"{", b"[1]", b'"x"', b"\xff\xfe", b"null"])
def test_a_body_that_is_no_json_object_is_refused(desk_api, body):
    answer = desk_api.post("/api/patients", body, content_type="application/json")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


def test_names_of_other_alphabets_are_kept_and_found(desk_api):
    post(desk_api, {"familyName": "Достоевский", "givenName": "Фёдор"})
    post(desk_api, {"familyName": "山田", "givenName": "太郎"})
    assert [p["familyName"] for p in desk_api.get("/api/patients?q=ФЕДОР дост").json()] == [
        "Достоевский"
    ]
    assert [p["familyName"] for p in desk_api.get("/api/patients?q=山田").json()] == ["山田"]


def test_a_list_pages_by_the_link_header_without_gaps_or_repeats(desk_api):
    for number in range(7):
        post(desk_api, {"familyName": f"Person{number % 3}", "givenName": f"G{number}"})
    seen, address = [], "/api/patients?limit=3"
    while address:
        answer = desk_api.get(address)
        seen += [patient["mrn"] for patient in answer.json()]
        link = answer.headers.get("Link", "")
        address = link.split(">")[0].strip("<") if 'rel="next"' in link else ""
    assert len(seen) == len(set(seen)) == 7


@pytest.mark.parametrize(
    "query",
    [
        "q=smi jan",
        "q=Smïth",
        "q=15/3/84",
        "q=15 mar 1984",
        "q=+44 20 7946 0958",
        "q=0958",
        "q=999 11 2222",
        "dateOfBirth=1984-03-15",
        "identifier=ssn|999-11-2222",
        "sex=female&q=jane",
    ],
)
def test_she_is_found_by(desk_api, query):
    jane = {
        **JANE,
        "familyName": "Smith",
        "phone": "+44 20 7946 0958",
        "identifiers": [{"system": "ssn", "value": "999-11-2222"}],
    }
    mrn = post(desk_api, jane).json()["mrn"]
    post(
        desk_api,
        {"familyName": "Other", "givenName": "Bob", "sex": "male", "dateOfBirth": "1990-01-01"},
    )
    assert [
        p["mrn"] for p in desk_api.get("/api/patients?" + query.replace("+", "%2B")).json()
    ] == [mrn]
    assert [p["mrn"] for p in desk_api.get(f"/api/patients?q={mrn}").json()] == [mrn]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("colour=red", "#/colour"),
        ("limit=0", "#/limit"),
        ("limit=201", "#/limit"),
        ("cursor=x", "#/cursor"),
        ("dateOfBirth=x", "#/dateOfBirth"),
    ],
)
def test_a_wrong_filter_is_named(desk_api, query, pointer):
    answer = desk_api.get("/api/patients?" + query)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)


def test_a_search_that_quotes_badly_is_only_text(desk_api):
    for text in ["'", "a'b & !c", "\\", "🙂", ":*", "(", "x" * 5000]:
        assert desk_api.get("/api/patients", {"q": text}).status_code == 200


def test_an_exact_duplicate_needs_a_reason(desk_api):
    first = post(desk_api, JANE).json()
    refused = post(desk_api, {**JANE, "familyName": "EXAMPLE"})
    assert (refused.status_code, refused.json()["patientIds"]) == (409, [first["id"]])
    assert post(desk_api, {**JANE, "duplicateReason": "Twin cousin"}).status_code == 201


def test_a_taken_identifier_is_refused_and_nothing_is_half_written(desk_api):
    card = {"identifiers": [{"system": "ssn", "value": "999-11-2222"}]}
    post(desk_api, {**JANE, **card})
    before = Patient.objects.count(), PatientEvent.objects.count()
    assert post(desk_api, {"familyName": "Other", **card}).status_code == 409
    assert (Patient.objects.count(), PatientEvent.objects.count()) == before


def test_if_match_refuses_a_stale_version(desk_api):
    place = post(desk_api, JANE)["Location"]
    assert (
        desk_api.patch(place, {"city": "Leeds"}, format="json", HTTP_IF_MATCH='"1"')["ETag"]
        == '"2"'
    )
    for tag in ['"1"', 'W/"2"', "2", '"x"']:
        stale = desk_api.patch(place, {"city": "York"}, format="json", HTTP_IF_MATCH=tag)
        assert stale.status_code == 412
    assert desk_api.get(place).json()["city"] == "Leeds"


def test_delete_archives_and_patch_restores(desk_api):
    place = post(desk_api, JANE)["Location"]
    assert desk_api.delete(place).status_code == 204
    assert desk_api.get("/api/patients").json() == []
    assert desk_api.get(place).json()["status"] == "archived"
    assert desk_api.patch(place, {"status": "active"}, format="json").json()["status"] == "active"


def test_a_change_of_status_and_of_details_is_made_whole_or_not_at_all(desk_api):
    held = {"identifiers": [{"system": "ssn", "value": "999-11-2222"}]}
    post(desk_api, {**JANE, **held})
    place = post(desk_api, {"familyName": "Other", "givenName": "Ann"})["Location"]
    answer = desk_api.patch(place, {"status": "archived", **held}, format="json")
    assert answer.status_code == 409
    assert desk_api.get(place).json()["status"] == "active"


def test_the_history_tells_field_by_field_who_and_through_which_door(desk_api, front_desk):
    place = post(desk_api, JANE)["Location"]
    desk_api.patch(place, {"city": "Leeds"}, format="json")
    newest, first = desk_api.get(place + "/history").json()
    assert newest["changes"] == [{"field": "city", "old": "", "new": "Leeds"}]
    assert (newest["by"], newest["source"], newest["version"]) == (front_desk.email, "api", 2)
    assert first["kind"] == "insert"


def test_a_role_without_the_right_gets_403_and_nobody_401(api_as, make_user, client):
    analyst = api_as(make_user("analyst"))
    assert analyst.get("/api/patients").status_code == 403
    clinician = api_as(make_user("clinician"))
    assert post(clinician, JANE).status_code == 403
    assert clinician.get("/api/patients").status_code == 200
    nobody = client.get("/api/patients")
    assert (nobody.status_code, nobody["Content-Type"]) == (401, "application/problem+json")


def test_every_reading_is_recorded(desk_api, front_desk):
    answer = post(desk_api, JANE)
    desk_api.get(answer["Location"])
    desk_api.get("/api/patients")
    desk_api.get(answer["Location"] + "/history")
    records = AccessRecord.objects.order_by("id").values_list("action", "door", "user")
    assert list(records) == [
        (action, "api", front_desk.pk) for action in ("open", "list", "history")
    ]


def test_an_unknown_patient_is_404_as_a_problem(desk_api):
    answer = desk_api.get("/api/patients/018f0000-0000-7000-8000-000000000000")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


def test_unknown_addresses_under_api_answer_with_a_problem(desk_api):
    answer = desk_api.get("/api/nothing")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


def test_the_browsable_api_shows_a_form(client, front_desk):
    client.force_login(front_desk)
    page = client.get("/api/patients", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert b'name="_content"' in page.content
    assert b"&quot;familyName&quot;" in page.content


def test_the_openapi_document_names_the_routes(client, front_desk):
    assert client.get("/api/schema").status_code == 401
    client.force_login(front_desk)
    text = client.get("/api/schema?format=json").json()
    assert text["openapi"].startswith("3.1")
    assert {"/api/patients", "/api/patients/{patient_id}", "/api/analytics", "/auth/login"} <= set(
        text["paths"]
    )
    assert client.get("/api/docs").status_code == 200


def test_two_people_of_whom_the_year_of_birth_is_known_are_both_registered(desk_api):
    """Red where the first day of the year counts as their day of birth."""
    body = {"name": "Maria Ortig", "dateOfBirth": "1980-01-01", "dateOfBirthPrecision": "year"}
    assert [post(desk_api, body).status_code for _ in range(2)] == [201, 201]
    assert post(desk_api, {**body, "dateOfBirthPrecision": "day"}).status_code == 201
