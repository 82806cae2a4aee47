"""Many new people are matched at once, and no match of the rules is missed."""

import random
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.patients.matching import bulk
from portal.patients.matching.bulk import liquid_consonants, load_people_index, may_be_similar
from portal.patients.matching.rules import compared_fields, grade_match
from portal.patients.models import Patient
from portal.patients.names.phonetics import phonetic_key
from portal.patients.names.similarity import compare_names
from portal.patients.services import archive_patient, register_patients
from portal.patients.validation import validate_details

FAMILIES = [
    "Meier",
    "Maier",
    "Meyer",
    "Smith",
    "Smyth",
    "Smith-Jones",
    "MacDonald",
    "Mac Donald",
    "Knight",
    "Nite",
]
GIVEN = ["Anna", "Ana", "Anna Maria", "Hans", "Hanns", "Jo", "Meier", "Smith"]
DAYS = [
    date(1990, 4, 5),
    date(1990, 5, 4),
    date(1990, 4, 1),
    date(1990, 1, 1),
    date(1985, 7, 9),
    None,
]
PHONES = [
    "617 555 0100",
    "+1 617 555 0100",
    "(617) 555-0111",
    "12345678",
    *[f"617 555 02{n}" for n in range(10, 30)],
]
COLUMNS = (
    "family_name",
    "given_name",
    "date_of_birth",
    "date_of_birth_precision",
    "phone",
    "phone_e164",
)


def random_person(dice: random.Random) -> dict:
    born = dice.choice(DAYS)
    precision = dice.choice(["day", "day", "month", "year"]) if born and born.day == 1 else "day"
    details = {
        "family_name": dice.choice(FAMILIES),
        "given_name": dice.choice(GIVEN),
        "phone": dice.choice(PHONES),
    }
    if born:
        details |= {"date_of_birth": str(born), "date_of_birth_precision": precision}
    return validate_details(details)


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(3))
def test_the_index_finds_what_comparing_everybody_finds(seed):
    """Red when a query of `load_people_index`, or `may_be_similar`, leaves a match out."""
    dice = random.Random(seed)
    register_patients([random_person(dice) for _ in range(150)], by=None, source="import")
    known = {
        row.pop("id"): compared_fields(row, ()) for row in Patient.objects.values("id", *COLUMNS)
    }
    newcomers = [compared_fields(random_person(dice)) for _ in range(60)]
    index, total = load_people_index(newcomers), 0
    for new in newcomers:
        every = [
            match
            for patient_id, fields in known.items()
            if (match := grade_match(patient_id, fields, new=new))
        ]
        strong = {match.patient_id: match for match in every if match.grade.is_strong}
        assert {match.patient_id: match for match in index.find_strong_matches(new)} == strong
        total += len(strong)
    assert total > 60  # Else nothing was tried.


@pytest.mark.django_db
def test_an_archived_patient_is_not_matched():
    [anna] = register_patients([random_person(random.Random(1))], by=None, source="import")
    archive_patient(anna.pk, by=None, source="portal")
    new = compared_fields(Patient.objects.values(*COLUMNS).get())
    assert load_people_index([new]).find_strong_matches(new) == []


@pytest.mark.django_db
def test_the_same_family_is_found_on_a_crowded_birth_date(
    monkeypatch, django_assert_max_num_queries
):
    monkeypatch.setattr(bulk, "MAX_PER_BIRTH_DATE", 0)
    born = {"date_of_birth": "1900-01-01"}
    register_patients(
        [validate_details({"family_name": "Meier", "given_name": "A"} | born)],
        by=None,
        source="import",
    )
    new = [
        compared_fields(validate_details({"family_name": "Meier", "given_name": f"B{n}"} | born))
        for n in range(50)
    ]
    with django_assert_max_num_queries(4):
        index = load_people_index(new)
    assert all(len(index.find_strong_matches(person)) == 1 for person in new)


@settings(deadline=None, max_examples=1000)
@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyzßøłđæœþðı", max_size=9))
def test_the_phonetic_key_has_the_liquid_consonants_of_the_name(name):
    assert liquid_consonants(phonetic_key(name).lower()) == liquid_consonants(name)


@settings(deadline=None, max_examples=300)
@given(st.text(alphabet="abeghknptw ", max_size=7), st.text(alphabet="abeghknptw ", max_size=7))
def test_names_that_are_similar_pass_the_quick_check(first, second):
    first, second = " ".join(first.split()), " ".join(second.split())
    assert may_be_similar(first, second) or not compare_names(first, second)
