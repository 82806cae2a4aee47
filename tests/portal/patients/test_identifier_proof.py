"""An identifier that tells nobody apart is not stored, and so stands in nobody's way."""

import pytest

from portal.patients.models import Patient, PatientIdentifier
from portal.patients.reference.identifier_proof import NoProof, why_it_proves_nothing
from tests.portal.patients.test_patients_api import JANE, post

STAND_INS = [
    "000-00-0000",
    "111-11-1111",
    "999999999",
    "123-45-6789",
    "987654321",
    "N/A",
    "NULL",
    "(null)",
    "none",
    "unknown",
    "UNK",
    "0",
    "-",
    "??",
    r"\N",
    "xxx-xx-xxxx",
    "078-05-1120",
    "unbekannt",
    "Not on file",
    "see file",
    "k. A.",
    "n/d",
    "sin número",
    "不明",
    "нет",
    "none (child)",
    "No insurance",
    "asdf",
    "123-123-123",
    "1212121212",
]
TRUE_NUMBERS = [
    ("ssn", "900-12-0004"),
    ("passport", "12E4567"),
    ("passport", "XX1234567"),
    ("driver", "S9991-2345"),
    ("insurance", "FAM-1"),
    ("https://records.example/ids", "7"),
    ("https://records.example/ids", "12345"),
    ("https://records.example/ids", "*ABC123*"),
    ("https://records.example/ids", "jdoe"),
    ("mrn-other", "555"),
    ("insurance", "Endsleigh 12"),
    ("insurance", "12.34.568"),
    ("insurance", "Q9091"),
    ("mrn-other", "12-34-56"),
    ("mrn-other", "1984-0115"),
    ("mrn-other", "19840115"),
    ("ssn", "912-01-1984"),
    ("passport", "MAY1984"),
    ("passport", "1984-13-45"),
    ("https://records.example/ids", "2019-05-12"),
]


@pytest.mark.parametrize("typed", STAND_INS)
def test_a_stand_in_proves_nothing(typed):
    assert why_it_proves_nothing("ssn", typed) in (NoProof.STAND_IN, NoProof.MASKED)


@pytest.mark.parametrize(
    "typed",
    [
        "***-**-1234",
        "XXX-XX-1234",
        "xx-xx-1234",
        "•••••1234",
        "1234",
        "…1234",
        "...1234",
        "X-1234",
        "ending in 1234",
        "last4 1234",
    ],
)
def test_the_end_of_a_number_proves_nothing(typed):
    assert why_it_proves_nothing("ssn", typed) is NoProof.MASKED


@pytest.mark.parametrize("typed", ["1.23457E+11", "1,23457e+11", "1.2E11", "9E+08"])
def test_a_number_that_a_spreadsheet_shortened_proves_nothing(typed):
    assert why_it_proves_nothing("insurance", typed) is NoProof.SHORTENED


@pytest.mark.parametrize(
    "typed",
    [
        *("1/1/1984", "1984-01-15", "15.01.1984", "01/15/1984", "1984/1/15", "1-1-1984"),
        *("15-Jan-84", "15 January 1984", "Jan-84", "2-Jan", "Sept. 1984", "January 5, 1984"),
        *("1984-01-15 00:00:00", "1984-01-15T10:30:00Z", "1/15/1984 3:04 PM"),
    ],
)
@pytest.mark.parametrize("system", ["ssn", "insurance", "mrn-other"])
def test_a_date_proves_nothing(system, typed):
    assert why_it_proves_nothing(system, typed) is NoProof.DATE


@pytest.mark.parametrize(("system", "typed"), TRUE_NUMBERS)
def test_a_true_number_stays(system, typed):
    assert why_it_proves_nothing(system, typed) is None


@pytest.mark.django_db
def test_the_api_says_what_to_do_and_stores_nothing(desk_api):
    answer = post(desk_api, JANE | {"identifiers": [{"system": "ssn", "value": "000-00-0000"}]})
    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == ("#/identifiers", "stand-in")
    assert "Leave the identifier out." in error["detail"]
    assert not Patient.objects.exists()


@pytest.mark.django_db
def test_the_register_page_says_it_beside_the_box(desk):
    typed = {"family_name": "Example", "given_name": "Jane", "identifiers-TOTAL_FORMS": "1"}
    typed |= {"identifiers-INITIAL_FORMS": "0", "identifiers-0-system": "ssn"}
    answer = desk.post("/patients/new/", typed | {"identifiers-0-value": "***-**-1234"})
    assert answer.status_code == 422
    assert "shows only a part of the number" in answer.content.decode()
    assert not PatientIdentifier.objects.exists()
