"""FHIR Patients: parts are chosen by use and type, wrong ones are refused with their place."""

import json

import pytest

from portal.imports.readers import open_patients
from tests.portal.imports.files import as_ndjson

UUID = "018f428e-34f6-4707-8009-5ad742f901e7"
US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"


def typed_identifier(code: str, system: str, value: str) -> dict:
    return {"type": {"coding": [{"code": code}]}, "system": system, "value": value}


FULL = {
    "id": UUID,
    "extension": [
        {"url": f"{US_CORE}race", "extension": [{"url": "text", "valueString": "white"}]},
        {
            "url": f"{US_CORE}ethnicity",
            "extension": [{"url": "ombCategory", "valueCoding": {"display": "Hispanic or Latino"}}],
        },
    ],
    "identifier": [
        {"system": "https://source.example/ids", "value": "42"},
        typed_identifier("SS", "http://hl7.org/fhir/sid/us-ssn", "999-22-1962"),
        typed_identifier("DL", "urn:oid:2.16.840.1.113883.4.3.25", "S99"),
        typed_identifier("PPN", "https://passports.example", "X45"),
        {"use": "old", "system": "https://source.example/ids", "value": "41"},
    ],
    "name": [
        {"use": "maiden", "family": "Wolff", "given": ["Anna"]},
        {
            "use": "official",
            "family": "Beispiel",
            "given": ["Anna", "Maria", "Luise"],
            "prefix": ["Dr."],
        },
        {"use": "nickname", "given": ["Anni"]},
    ],
    "telecom": [
        {"system": "fax", "value": "1"},
        {"system": "phone", "use": "old", "value": "2"},
        {"system": "phone", "use": "home", "value": "555-978-4581"},
        {"system": "email", "value": "anna@example.org"},
    ],
    "gender": "female",
    "birthDate": "1956-08",
    "deceasedDateTime": "2007-03-25T19:08:38+00:00",
    "address": [
        {"use": "old", "city": "Elsewhere"},
        {
            "line": ["1 Row", "Flat 2"],
            "city": "Peabody",
            "state": "MA",
            "postalCode": "01940",
            "country": "US",
        },
    ],
    "maritalStatus": {"coding": [{"code": "M"}], "text": "Married"},
    "communication": [
        {"language": {"coding": [{"code": "es"}]}},
        {"language": {"coding": [{"code": "pt-BR"}]}, "preferred": True},
    ],
}


@pytest.fixture
def rows(file):
    return lambda content: list(open_patients(file(content)).rows())


def test_every_part_of_a_patient_is_read(rows):
    [row] = rows(as_ndjson(FULL))
    assert row.number == 1
    assert not row.problems
    assert row.details == {
        "family_name": "Beispiel",
        "given_name": "Anna",
        "middle_name": "Maria Luise",
        "prefix": "Dr.",
        "preferred_name": "Anni",
        "phone": "555-978-4581",
        "email": "anna@example.org",
        "sex": "female",
        "date_of_birth": "1956-08",
        "deceased_on": "2007-03-25",
        "address_line1": "1 Row",
        "address_line2": "Flat 2",
        "city": "Peabody",
        "region": "MA",
        "postal_code": "01940",
        "country": "US",
        "marital_status": "M",
        "language": "pt-BR",
        "race": "White",
        "ethnicity": "Hispanic or Latino",
        "identifiers": [
            {"system": "https://source.example/ids", "value": "42"},
            {"system": "ssn", "value": "999-22-1962"},
            {"system": "driver", "value": "S99"},
            {"system": "passport", "value": "X45"},
            {"system": "record-id", "value": UUID},
        ],
    }


def test_what_a_resource_leaves_out_is_left_out(rows):
    [row] = rows(as_ndjson({"id": "17", "name": [{"text": "Unknown person"}]}))
    assert row.details == {"family_name": "Unknown person"}


@pytest.mark.parametrize(
    ("part", "column"),
    [
        ({"name": "Anna"}, "name"),
        ({"name": [{"given": "Anna"}]}, "name.given"),
        ({"name": [{"given": ["Anna"], "family": 7}]}, "name.family"),
        ({"birthDate": 1956}, "birthDate"),
        ({"address": {}, "telecom": ["555"]}, "telecom"),
        ({"identifier": [{"system": "x", "value": 5}]}, "identifier.value"),
        ({"maritalStatus": "M"}, "maritalStatus"),
        ({"extension": [{"url": f"{US_CORE}race", "extension": "white"}]}, "extension"),
    ],
)
def test_a_misshapen_part_is_named(rows, part, column):
    bad, good = rows(as_ndjson(part, FULL))
    assert bad.problems[0].column == column
    assert good.details["family_name"] == "Beispiel"


@pytest.mark.parametrize("value", [None, True, 7, 1.5, "x", [], [None], [[]], {}, {"x": [1]}])
@pytest.mark.parametrize(
    "place",
    [
        lambda value: {"extension": [{"url": value, "extension": value}]},
        lambda value: {"name": [{"family": "A", "extension": [{"valueCode": value}]}]},
        lambda value: {"name": [{"family": "A", "use": value, "period": {"start": value}}]},
        lambda value: {"telecom": [{"value": "1", "system": value, "rank": value, "use": value}]},
        lambda value: {"address": [{"city": "A", "period": value, "type": value}]},
        lambda value: {"identifier": [{"system": "x", "value": "1", "period": {"end": value}}]},
        lambda value: {"meta": {"security": [{"code": value, "display": value}], "tag": value}},
        lambda value: {"meta": {"versionId": value, "lastUpdated": value}, "id": "1"},
        lambda value: {"link": [{"type": value, "other": value}]},
        lambda value: {"link": [{"type": "replaces", "other": {"identifier": value}}]},
        lambda value: {"communication": [{"language": value, "preferred": value}]},
        lambda value: {"_birthDate": value, "_deceasedBoolean": value, "birthDate": "1984"},
        lambda value: {"deceasedBoolean": value, "active": value, "contained": value},
    ],
)
def test_a_value_of_any_type_costs_its_row_at_most(rows, place, value):
    first, good = rows(as_ndjson({"name": [{"family": "B"}], **place(value)}, FULL))
    assert first.problems or first.details["family_name"] in ("A", "B")
    assert not good.problems


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"resourceType": "Patient", "id": ', "not valid JSON"),
        ('"Patient"', "no object"),
        ("[1]", "no object"),
        ('{"resourceType": "Observation"}', "only Patient"),
        ('{"resourceType": "Patient", "id": "a\\u0000b"}', "id: The text holds a NUL"),
        ('{"resourceType": "Patient", "id": "\\ud83d"}', "id: The text holds a NUL"),
        ('{"resourceType": "x\\u0000y"}', "resourceType: The text holds a NUL"),
        ("[" * 100_000, "JSON"),
        ("\0", "NUL"),
    ],
)
def test_a_broken_line_costs_itself_alone(rows, line, words):
    first, bad, last = rows(as_ndjson(FULL) + line + "\n\n" + as_ndjson(FULL))
    assert (bad.number, last.number) == (2, 4)
    assert words in str(bad.problems[0])
    assert first.details == last.details


def test_an_emoji_written_as_two_escapes_is_text(rows):
    [row] = rows(as_ndjson({"name": [{"family": "Smile \N{GRINNING FACE}"}]}))
    assert row.details["family_name"] == "Smile \N{GRINNING FACE}"


def test_the_patients_of_a_bundle_are_rows_by_their_entry(rows):
    entries = [
        {"resource": {"resourceType": "Organization"}},
        {"resource": {"resourceType": "Patient", **FULL}},
        {},
    ]
    [row] = rows(json.dumps({"resourceType": "Bundle", "entry": entries}, indent=1))
    assert (row.number, row.details["given_name"]) == (2, "Anna")
