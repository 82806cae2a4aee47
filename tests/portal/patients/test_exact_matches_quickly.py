"""The quick look before a registration says no only where the rules find nobody."""

import random
from datetime import date

import pytest

from portal.bulk_insert import insert_rows
from portal.patients.matching.exact import may_match_exactly
from portal.patients.matching.lookup import find_matches
from portal.patients.matching.rules import COMPARED_COLUMNS
from portal.patients.models import Patient, Source
from portal.patients.services import archive_patient, register_patient
from portal.patients.validation import validate_details

pytestmark = pytest.mark.django_db
BY = {"by": None, "source": Source.COMMAND}
NAMES = (
    """
Anna,Ann a,Min-su,Minsu,Min su,Müller,Mueller,Muller,O'Brien,O’Brien,O Brien,Obrien,MacDonald
Mac Donald,Aase,Åse,Ase,,Ae,Łukasz,Lukasz,عبد الرحمن,عبدالرحمن,الحسن,حسن,王小明,王 小明,佐々木
Van der Berg,Vanderberg,Sørensen,Sorensen,Straße,Strasse,José,Jose,Smith
""".strip()
    .replace("\n", ",")
    .split(",")
)
DAYS = (date(1970, 5, 5), date(1970, 1, 1), date(1984, 3, 4), None)


def drawn_person(draw: random.Random) -> dict:
    family, given = draw.choice(NAMES), draw.choice(NAMES)
    person = {
        "family_name": family or "Smith",
        "given_name": given,
        "date_of_birth": draw.choice(DAYS),
        "date_of_birth_precision": draw.choice(("day", "day", "month", "year")),
        "phone": draw.choice(("", "617 555 0131", "617 555 0131 or 617 555 0144")),
    }
    if draw.random() < 0.2:
        numbers = [f"A{draw.randrange(40)}"]
        person["identifiers"] = [{"system": "https://x.example", "value": n} for n in numbers]
    return validate_details(person)


def found_by_the_rules(details: dict) -> list:
    return find_matches(Patient.objects.all(), details, exact_only=True)


def test_nobody_is_overlooked():
    """Red when a spelling, or an exchange of names, is left out of the quick look."""
    draw = random.Random(12)
    people = [drawn_person(draw) for _ in range(1_000)]
    rows = [[person[name] for name in COMPARED_COLUMNS] for person in people]
    insert_rows(Patient, COMPARED_COLUMNS, rows)
    for patient in Patient.objects.order_by("id")[:30]:
        archive_patient(patient.pk, **BY)
    for number in range(20):
        register_patient(
            {
                "family_name": f"Holder {number}",
                "identifiers": [{"system": "https://x.example", "value": f"A{number}"}],
            },
            **BY,
        )
    answers = []
    for person in (drawn_person(draw) for _ in range(1_500)):
        matches, may_match = found_by_the_rules(person), may_match_exactly(person)
        assert may_match or not matches, person
        answers.append((bool(matches), may_match))
    assert {(True, True), (False, False)} <= set(answers)


def test_most_new_people_need_no_comparison():
    register_patient({"family_name": "Smith", "date_of_birth": date(1970, 5, 5)}, **BY)
    other = {"family_name": "Jones", "given_name": "Ann", "date_of_birth": date(1970, 5, 5)}
    assert not may_match_exactly(other)
    assert not may_match_exactly({"family_name": "Smith"})
