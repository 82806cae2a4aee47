"""The grade of a match and its reasons: the rules that every channel shares."""

from uuid import uuid4

import pytest

from portal.patients.matching.rules import compared_fields, grade_match
from portal.patients.names.similarity import compare_names
from portal.patients.validation import validate_details

JANE = {
    "family_name": "Smith",
    "given_name": "Jane",
    "date_of_birth": "1984-03-15",
    "phone": "+1 617 555 0100",
}
PASSPORT = {"identifiers": [{"system": "passport", "value": "P 123"}]}
YEAR = {"date_of_birth": "1984-01-01", "date_of_birth_precision": "year"}
ALONE = {"phone": ""}


def match(known_changes, new_changes):
    """Grades a match of two records that differ from Jane's: the grade and reasons, or None."""
    known = compared_fields(validate_details(JANE | known_changes))
    new = compared_fields(validate_details(JANE | new_changes))
    found = grade_match(uuid4(), known, new=new)
    return (str(found.grade), ", ".join(found.reasons)) if found else None


@pytest.mark.parametrize(
    ("new", "grade", "reasons"),
    [
        ({"family_name": "SMÏTH"}, "certain", "same name, same date of birth, same phone"),
        ({"given_name": "Peter", **ALONE}, "probable", "same family name, same date of birth"),
        (
            {"family_name": "Smyth"},
            "probable",
            "one letter off in the family name, same given name, same date of birth, same phone",
        ),
        (
            {"family_name": "Smythe", "given_name": "Ann", **ALONE},
            "possible",
            "alike sounding family name, same date of birth",
        ),
        (
            {"family_name": "Smith-Jones", **ALONE},
            "probable",
            "in part the same family name, same given name, same date of birth",
        ),
        (
            {"family_name": "Jane", "given_name": "Smith", **ALONE},
            "certain",
            "family and given name exchanged, same date of birth",
        ),
        ({"date_of_birth": "1990-01-01"}, "possible", "same name, same phone"),
        ({"date_of_birth": "", **ALONE}, "possible", "same name"),
        ({**YEAR, **ALONE}, "probable", "same name, same year of birth"),
        ({"family_name": "Jones", "date_of_birth": ""}, "probable", "same given name, same phone"),
        (
            {"family_name": "Jones", "given_name": "Ann"},
            "possible",
            "same date of birth, same phone",
        ),
    ],
)
def test_a_match_has_a_grade_and_its_reasons(new, grade, reasons):
    assert match({}, new) == (grade, reasons)


@pytest.mark.parametrize(
    "new",
    [
        {"family_name": "Schmidt", "given_name": "Ann"},
        {"date_of_birth": "1984-03-16"},
        {"date_of_birth": "1990-01-01"},
        {**YEAR, "given_name": "Peter"},
        {"family_name": "Jones", "given_name": "Ann"},
    ],
)
def test_records_that_agree_in_too_little_do_not_match(new):
    assert match({}, new | ALONE) is None


def test_day_and_month_may_have_been_exchanged():
    known = {"date_of_birth": "2008-04-05", **ALONE}
    new = {"date_of_birth": "2008-05-04", **ALONE}
    assert match(known, new) == ("probable", "same name, day and month of birth exchanged")
    assert match(known, {**new, "given_name": "Peter"}) is None


def test_a_shared_identifier_is_a_certain_match():
    someone = {
        "family_name": "Other",
        "given_name": "Bob",
        "date_of_birth": "1950-01-01",
        "phone": "",
    }
    assert match(PASSPORT, {**someone, **PASSPORT}) == ("certain", "same identifier (Passport)")


def test_phones_are_compared_without_spacing_or_by_their_digits():
    other = {"family_name": "Jones", "given_name": "Ann", "date_of_birth": "1990-01-01"}
    assert match({}, {**other, "phone": "(617) 5550100"}) == ("possible", "same phone")
    assert match({"phone": "555-978-4581"}, {**other, "phone": "5559784581"}) == (
        "possible",
        "same phone",
    )
    assert match({"phone": "911"}, {**other, "phone": "911"}) is None


def test_one_letter_of_a_short_name_makes_another_name():
    assert compare_names("kim", "kit") is None
    assert (
        compare_names("olga", "olha") == compare_names("brian", "brain") == "one letter off in the"
    )
    assert compare_names("de la cruz", "delacruz") == "same"
    assert compare_names("von berg", "von thal") is None


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Baby A", "Baby B"),
        ("Baby Boy", "Baby Girl"),
        ("BabyBoy1", "BabyBoy2"),
        ("Kim Girl A", "Kim Girl B"),
    ],
)
def test_two_newborns_of_one_mother_are_no_strong_match(first, second):
    """Red where the names of newborns are in part the same, or one letter off."""
    grade, reasons = match({"given_name": first}, {"given_name": second})
    assert (grade, "given name" in reasons) == ("possible", False)


def test_one_newborn_under_two_names_of_a_ward_still_matches():
    assert match({"given_name": "Baby Boy"}, {"given_name": "Baby"})[0] == "probable"


@pytest.mark.parametrize("precision", ["year", "month"])
def test_a_birth_known_in_part_is_never_certain(precision):
    born = {"date_of_birth": "1980-01-01", "date_of_birth_precision": precision, **ALONE}
    assert match(born, born)[0] == "probable"
    assert match(born | {"date_of_birth_precision": "day"}, born)[0] == "probable"
