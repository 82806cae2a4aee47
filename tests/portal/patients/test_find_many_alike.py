"""Many new people are matched at once, and no match of the rules is missed."""

import random
from datetime import date
from uuid import uuid4

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.patients.matching import bulk
from portal.patients.matching.bulk import load_people_index
from portal.patients.matching.names_of_a_day import may_be_similar, names_worth_comparing
from portal.patients.matching.rules import compared_fields, grade_match
from portal.patients.models import Patient
from portal.patients.names.phonetics import liquid_consonants, phonetic_key
from portal.patients.names.similarity import compare_names
from portal.patients.normalize import fold
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
    "Mueller",
    "Müller",
    "O'Brien",
    "O Brien",
    "de la Cruz",
    "Cruz",
    "Anna Smith",
    "Kim",
    "Kimsoo",
]
GIVEN = [
    "",
    "Anna",
    "Ana",
    "Hanna",
    "Anna Maria",
    "Hans",
    "Hanns",
    "Jo",
    "Joe",
    "Meier",
    "Smith",
    "Filip",
    "Phillips",
    "Katharina",
    "Catherine",
    "Jin",
    "Soojin",
]
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


SAME_BIRTH = [
    ("Knight|Anna", "Nite|Anna"),
    ("Mitte|Jo", "Itte|Jo"),
    ("Smith|Anna", "Smythe|Ana"),
    ("Phi Lips|Anna", "Filipse|Anna"),
    ("Anna Smith|", "Smith|Anna"),
    ("de Cruz|", "Decruz|Maria"),
    ("Kimsoo|Jin", "Kim|Soojin"),
]


@pytest.mark.parametrize(("known", "new"), SAME_BIRTH)
def test_a_strong_match_of_the_same_day_is_worth_comparing(known, new):
    """Each is red when `names_worth_comparing` loses the rule that it needs."""
    assert_worth_comparing(known.split("|"), new.split("|"))


@settings(deadline=None, max_examples=1500)
@given(st.lists(st.sampled_from([*FAMILIES, *filter(None, GIVEN)]), min_size=4, max_size=4))
def test_no_strong_match_of_a_day_is_left_out_by_its_names(names):
    """Red when `names_worth_comparing` asks for more than the rules do."""
    assert_worth_comparing(names[:2], names[2:], is_strong=False)


def assert_worth_comparing(known_name, new_name, *, is_strong=True):
    """Holds the choice by names to the rules; `is_strong` says that the two match strongly."""
    born = {"date_of_birth": date(1990, 4, 5)}
    known, new = (
        compared_fields({"family_name": family, "given_name": given} | born)
        for family, given in (known_name, new_name)
    )
    match = grade_match(uuid4(), known, new=new)
    if match and match.grade.is_strong:
        key = fold(" ".join(known_name))
        assert names_worth_comparing([key], new) == [key]
    else:
        assert not is_strong


@settings(deadline=None, max_examples=1000)
@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyzßøłđæœþðı", max_size=9))
def test_the_phonetic_key_has_the_liquid_consonants_of_the_name(name):
    assert liquid_consonants(phonetic_key(name).lower()) == liquid_consonants(name)


@settings(deadline=None, max_examples=300)
@given(st.text(alphabet="abeghknptw ", max_size=7), st.text(alphabet="abeghknptw ", max_size=7))
def test_names_that_are_similar_pass_the_quick_check(first, second):
    first, second = " ".join(first.split()), " ".join(second.split())
    assert may_be_similar(first, second) or not compare_names(first, second)


@pytest.mark.django_db
def test_names_of_a_day_are_read_from_the_index_alone():
    """Red when an index lacks the names: a million patients would be read, thirty for each row."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        cursor.execute(f"EXPLAIN {bulk._NAMES_BY_BIRTH}", [[date(1990, 4, 5)]])
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Index Only Scan using patient_by_birth_and_name" in plan
