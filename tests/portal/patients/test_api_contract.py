"""What clients of /api/patients send back, and names and identifiers as they write them."""

import pytest

from portal.billing.models import BillingAccount
from portal.patients.models import Patient

pytestmark = pytest.mark.django_db
NOEL = {"familyName": "Sample", "givenName": "Noel", "dateOfBirth": "1984-03-15"}


def post(api, body):
    return api.post("/api/patients", body, format="json")


def errors(answer) -> list[tuple[str, str]]:
    return [(error["pointer"], error["code"]) for error in answer.json()["errors"]]


def test_the_answer_to_a_registration_can_be_put_once_billing_is_active(desk_api):
    registered = post(desk_api, NOEL)
    BillingAccount.objects.update_or_create(
        patient_id=registered.json()["id"],
        defaults={"status": "active", "account_id": "BA-000000001"},
    )
    answer = desk_api.put(
        registered["Location"], {**registered.json(), "city": "Leeds"}, format="json"
    )
    assert (answer.status_code, answer.json()["city"]) == (200, "Leeds")


def test_an_element_of_a_list_can_be_put(desk_api):
    place = post(desk_api, NOEL)["Location"]
    [found] = desk_api.get("/api/patients", {"q": "sample"}).json()
    assert "matchedOn" in found
    assert desk_api.put(place, found, format="json").status_code == 200
    assert Patient.objects.get().version == 1


def test_the_id_of_another_record_is_refused_in_a_change(desk_api):
    place = post(desk_api, NOEL)["Location"]
    other = post(desk_api, {**NOEL, "givenName": "Zora"}).json()
    assert errors(desk_api.put(place, other, format="json"))[0] == ("#/id", "read-only")


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Noel King", ("", "Noel", "King", "")),
        ("King, Noel", ("", "Noel", "King", "")),
        ("Noel King, Jr.", ("", "Noel", "King", "Jr.")),
        ("King, Noel, Jr.", ("", "Noel", "King", "Jr.")),
        ("King, Noel Jr", ("", "Noel", "King", "Jr")),
        ("Noel King MD", ("", "Noel", "King", "MD")),
        ("Noel King, MD, PhD", ("", "Noel", "King", "MD, PhD")),
        ("Noel King III", ("", "Noel", "King", "III")),
        ("Mr. Noel King", ("Mr.", "Noel", "King", "")),
        ("KING, Noel (Mr)", ("Mr", "Noel", "KING", "")),
        ("Rahman, Md", ("", "Md", "Rahman", "")),
        ("Ken Ii", ("", "Ken", "Ii", "")),
        ("Dr", ("", "", "Dr", "")),
    ],
)
def test_a_name_in_one_text_becomes_its_parts(desk_api, name, parts):
    body = post(desk_api, {"name": name}).json()
    names = ("prefix", "givenName", "familyName", "suffix")
    assert tuple(body[part] for part in names) == parts


@pytest.mark.parametrize(
    ("name", "answered"),
    [
        ("Dr Ann Orme", "Dr Ann Marie Orme Jr"),
        ("Dr Ann Marie Orme Jr", "Dr Ann Marie Orme Jr"),
        ("Prof Ann Marie Holt Jr", "Prof Ann Marie Holt Jr"),
        ("Ann Louise Orme", "Dr Ann Louise Orme Jr"),
    ],
)
def test_a_changed_name_doubles_no_part(desk_api, name, answered):
    parts = {"prefix": "Dr", "givenName": "Ann", "middleName": "Marie", "suffix": "Jr"}
    place = post(desk_api, {**parts, "familyName": "Orme"})["Location"]
    assert desk_api.patch(place, {"name": name}, format="json").json()["name"] == answered


def test_the_case_of_a_kind_of_identifier_makes_no_second_kind(desk_api):
    body = {**NOEL, "identifiers": [{"system": "SSN", "value": "219-09-9997"}]}
    assert post(desk_api, body).json()["identifiers"][0]["system"] == "ssn"


@pytest.mark.parametrize("wrong", [True, {"a": 1}, [1, 2], 12345.0])
@pytest.mark.parametrize("member", ["system", "value"])
def test_the_members_of_an_identifier_are_texts(desk_api, member, wrong):
    identifier = {"system": "passport", "value": "P1234567", member: wrong}
    answer = post(desk_api, {**NOEL, "identifiers": [identifier]})
    assert errors(answer) == [(f"#/identifiers/0/{member}", "not-text")]


@pytest.mark.parametrize("name", ["validTO", "valid_to", "_links"])
def test_an_unknown_member_of_an_identifier_is_named(desk_api, name):
    identifier = {"system": "passport", "value": "P1234567", name: "2030-01-01"}
    answer = post(desk_api, {**NOEL, "identifiers": [identifier]})
    assert (f"#/identifiers/0/{name}", "unknown-field") in errors(answer)


def test_a_record_has_a_bounded_number_of_identifiers(desk_api):
    many = [{"system": "urn:x", "value": f"A{number}"} for number in range(20_000)]
    answer = post(desk_api, {**NOEL, "identifiers": many})
    assert errors(answer) == [("#/identifiers", "too-many")]
    assert "at most 50" in answer.json()["errors"][0]["detail"]


@pytest.mark.parametrize(("reason", "code"), [({"a": 1}, "not-text"), ("x" * 501, "too-long")])
def test_a_reason_is_a_text_of_bounded_length(desk_api, reason, code):
    answer = post(desk_api, {**NOEL, "duplicateReason": reason})
    assert errors(answer) == [("#/duplicateReason", code)]


def test_a_pointer_names_the_member_that_was_sent(desk_api):
    answer = post(desk_api, {**NOEL, "deceasedDate": "x", "registeredDate": "y"})
    assert [pointer for pointer, _ in errors(answer)] == ["#/deceasedDate", "#/registeredDate"]
    answer = post(desk_api, {**NOEL, "deceasedDate": "1980-01-01"})
    assert errors(answer) == [("#/deceasedDate", "before-birth")]


def test_what_services_find_wrong_points_at_the_member_that_was_sent(desk_api):
    place = post(desk_api, {**NOEL, "deceasedDate": "2001-01-01"})["Location"]

    def patch(body):
        return errors(desk_api.patch(place, body, format="json"))

    assert patch({"deceasedDate": "1980-01-01"}) == [("#/deceasedDate", "before-birth")]
    assert patch({"dateOfBirth": "2002-02-02"}) == [("#/dateOfBirth", "before-birth")]
    desk_api.patch(place, {"familyName": ""}, format="json")
    assert patch({"givenName": ""}) == [("#/givenName", "required")]
    assert patch({"name": ""}) == [("#/name", "required")]
    assert patch({"name": None}) == [("#/name", "required")]


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"dateOfBirth": 19840315}, "#/dateOfBirth", "not-text"),
        ({"deceasedDate": False}, "#/deceasedDate", "not-text"),
        ({"sex": 0}, "#/sex", "not-text"),
        ({"city": ["Leeds"]}, "#/city", "not-text"),
        ({"duplicateReason": 0}, "#/duplicateReason", "not-text"),
        ({"duplicateReason": []}, "#/duplicateReason", "not-text"),
        ({"identifiers": [None]}, "#/identifiers/0", "not-an-object"),
        ({"name": "a," * 300_000}, "#/name", "too-long"),
        ({"address": "x y " * 300_000}, "#/address", "too-long"),
        ({"dateOfBirth": "1 " * 300_000}, "#/dateOfBirth", "too-long"),
        ({"phone": "1" * 41}, "#/phone", "too-long"),
        ({"country": "a" * 101}, "#/country", "too-long"),
        ({"a/b~c": 1}, "#/a~1b~0c", "unknown-field"),
        ({"identifiers": [{"system": "x" * 201, "value": "P1"}]}, "#/identifiers/0/system",
         "too-long"),
    ],
)  # fmt: skip
def test_type_and_length_of_a_member_are_checked_first(desk_api, body, pointer, code):
    assert errors(post(desk_api, {**NOEL, **body})) == [(pointer, code)]
    assert not Patient.objects.exists()


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"identifier": "9" * 452}, "#/identifier"),
        ({"cursor": "A" * 6_001}, "#/cursor"),
        ({"limit": ["1", "2"]}, "#/limit"),
        ({"a/b": "1"}, "#/a~1b"),
    ],
)
def test_filters_are_bounded_and_come_once(desk_api, query, pointer):
    answer = desk_api.get("/api/patients", query)
    assert (answer.status_code, errors(answer)[0][0]) == (400, pointer)
