"""One statement finds the candidates that the queries for each index find."""

from datetime import date

import pytest

from portal.patients.matching.lookup import MAX_PER_BIRTH_DATE, find_matches
from portal.patients.models import Patient
from portal.patients.services import register_patient
from portal.patients.validation import validate_details

pytestmark = pytest.mark.django_db
BORN = "1984-03-12"
PEOPLE = [
    {"family_name": "Smith", "given_name": "Jane", "date_of_birth": BORN},
    {"family_name": "Smyth", "given_name": "Jane", "date_of_birth": "1984-12-03"},
    {"family_name": "Smith", "given_name": "Jane", "phone": "+1 617 555 0142"},
    {"family_name": "Jones", "given_name": "Ann", "phone": "617 555 0142, 617 555 0199"},
    {"family_name": "MacDonald", "given_name": "Ian", "date_of_birth": BORN},
    {"family_name": "Mac Donald", "given_name": "Ian", "date_of_birth": BORN},
    {"family_name": "王", "given_name": "小明", "date_of_birth": BORN},
    {
        "family_name": "Smith",
        "given_name": "Jane",
        "date_of_birth": "1984-01-01",
        "date_of_birth_precision": "year",
    },
]


@pytest.fixture
def people():
    for person in PEOPLE:
        register_patient(validate_details(person), by=None, source="portal", override_reason="x")


@pytest.mark.parametrize(
    "asked",
    [
        *PEOPLE,
        {"family_name": "Smiht", "given_name": "Jane", "date_of_birth": BORN},
        {"family_name": "Jane", "given_name": "Smith", "date_of_birth": BORN},
        {"family_name": "Other", "given_name": "Olga", "phone": "617 555 0199"},
        {"family_name": "Mac", "given_name": "Donald Ian", "date_of_birth": "12 mar 1984"},
        {"family_name": "Nobody", "given_name": "Nora"},
    ],
)
def test_they_are_those_of_the_queries(people, asked):
    details = validate_details(asked)
    found = find_matches(Patient.objects.all(), details)
    assert found == find_matches(Patient.objects.filter(pk__isnull=False), details)
    assert bool(found) == (asked["family_name"] != "Nobody")


def test_an_archived_patient_is_no_candidate(people):
    Patient.objects.update(status="archived")
    assert find_matches(Patient.objects.all(), validate_details(PEOPLE[0])) == []


@pytest.mark.parametrize(
    ("stored", "typed"),
    [
        (("Smyth", "Jane"), ("Smith", "Janet")),  # The family name sounds alike.
        (("O Brien Lee", "Sean"), ("Obrienlee", "Sean")),  # No word of the names is the same.
    ],
)
def test_of_very_many_born_on_a_day_some_are_compared(stored, typed):
    day = {"date_of_birth": date(1900, 1, 1)}
    names = [(f"Crowd{at}", "Zed") for at in range(MAX_PER_BIRTH_DATE + 1)]
    many = [Patient(family_name=family, given_name=given, **day) for family, given in names]
    Patient.objects.bulk_create(many)
    sought = Patient.objects.create(family_name=stored[0], given_name=stored[1], **day)
    details = validate_details({"family_name": typed[0], "given_name": typed[1], **day})
    found = find_matches(Patient.objects.all(), details)
    assert [match.patient_id for match in found] == [sought.pk]
    assert found == find_matches(Patient.objects.filter(pk__isnull=False), details)
