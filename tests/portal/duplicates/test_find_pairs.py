"""A scan finds the pairs that match strongly, and every decision stands."""

from datetime import date
from io import StringIO
from uuid import UUID

import pytest
from django.core.management import call_command

from portal.duplicates import blocking
from portal.duplicates.scans import find_pairs, scan_patients
from portal.duplicates.services import dismiss_pair, reopen_pair
from portal.patients.matching.refusal import UNIDENTIFIED_REASON
from portal.patients.models import PairState, Patient, PossibleDuplicate
from portal.patients.services import (
    archive_patient,
    change_patient,
    register_patient,
    register_patients,
    restore_patient,
)
from portal.patients.validation import validate_details

pytestmark = pytest.mark.django_db
JANE = {"family_name": "Example", "given_name": "Jane", "date_of_birth": "1984-03-15"}


def register(**details) -> Patient:
    """Registers as an import does, without a look at possible duplicates."""
    [patient] = register_patients([validate_details(JANE | details)], by=None, source="import")
    return patient


def scan() -> dict[str, int]:
    return find_pairs(lambda _: None)


def open_pairs() -> dict[frozenset[UUID], tuple[str, list[str]]]:
    rows = PossibleDuplicate.objects.filter(state=PairState.OPEN)
    return {frozenset((row.first_id, row.second_id)): (row.grade, row.reasons) for row in rows}


def pair_of(first: Patient, other: Patient) -> frozenset[UUID]:
    return frozenset((first.pk, other.pk))


@pytest.mark.parametrize(
    ("other", "grade", "reasons"),
    [
        ({}, "certain", ["same name", "same date of birth"]),
        ({"given_name": "Rita"}, "probable", ["same family name", "same date of birth"]),
        (
            {"family_name": "Exampel", "given_name": "Jane Mary"},
            "probable",
            [
                "one letter off in the family name",
                "in part the same given name",
                "same date of birth",
            ],
        ),
        (
            {"family_name": "Exarple"},
            "probable",
            ["one letter off in the family name", "same given name", "same date of birth"],
        ),
        (
            {"family_name": "Example-Jones"},
            "probable",
            ["in part the same family name", "same given name", "same date of birth"],
        ),
        (
            {"family_name": "Exampul"},
            "probable",
            ["alike sounding family name", "same given name", "same date of birth"],
        ),
        (
            {"family_name": "Jane", "given_name": "Example"},
            "certain",
            ["family and given name exchanged", "same date of birth"],
        ),
        (
            {"date_of_birth": "1984-03-01", "date_of_birth_precision": "month"},
            "probable",
            ["same name", "same month of birth"],
        ),
        (
            {"date_of_birth": "1984-01-01", "date_of_birth_precision": "year"},
            "probable",
            ["same name", "same year of birth"],
        ),
    ],
)
def test_a_scan_finds_every_kind_of_strong_match(other, grade, reasons):
    first, alike = register(), register(**other)
    register(family_name="Stranger", given_name="Ann")
    scan()
    [(pair, (found, why))] = open_pairs().items()
    assert (pair, found) == (pair_of(first, alike), grade)
    assert why == reasons


def test_exchanged_birth_dates_and_shared_phones_are_found():
    first, exchanged = register(date_of_birth="1984-03-05"), register(date_of_birth="1984-05-03")
    tom = {"given_name": "Tom", "date_of_birth": None, "phone": "617 555 0147"}
    known, married = (
        register(**tom | {"family_name": "Before"}),
        register(**tom | {"family_name": "Since"}),
    )
    scan()
    assert open_pairs().keys() == {pair_of(first, exchanged), pair_of(known, married)}


def test_possible_matches_are_not_on_the_worklist():
    register(phone="617 555 0147")
    register(given_name="Tom", date_of_birth="2014-01-02", phone="617 555 0147")
    register(family_name="Exampel", given_name="Ruth")
    assert scan()["compared"] == 2
    assert not open_pairs()


def test_a_second_scan_changes_nothing():
    register(), register()
    assert scan()["new"] == 1
    before = PossibleDuplicate.objects.values().get()
    assert scan()["new"] == 0
    assert PossibleDuplicate.objects.values().get() == before


def test_a_dismissed_pair_is_not_found_again_until_it_is_reopened():
    first, other = register(), register()
    scan()
    dismiss_pair(first.pk, other.pk, by=None)
    change_patient(first.pk, {"phone": "617 555 0147"}, by=None, source="portal")
    scan()
    assert not open_pairs()
    reopen_pair(first.pk, other.pk, by=None)
    scan()
    assert open_pairs().keys() == {pair_of(first, other)}


def test_registering_with_an_override_reason_dismisses_the_pair(front_desk):
    first = register()
    beside = validate_details(JANE | {"given_name": "Rita"})
    other = register_patient(
        beside, by=front_desk, source="portal", override_reason="Twin", shown=[first.pk]
    )
    scan()
    assert not open_pairs()
    pair = PossibleDuplicate.objects.get()
    assert (pair.state, pair.decided_by, pair.reason) == ("apart", front_desk, "Twin")
    assert pair.decided_at.date() == other.created_at.date()


def test_editing_with_an_override_reason_dismisses_the_pair():
    first, other = register(), register(family_name="Other")
    changes = {"family_name": "Example"}
    change_patient(
        other.pk, changes, by=None, source="portal", override_reason="Namesake", shown=[first.pk]
    )
    scan()
    assert not open_pairs()
    assert PossibleDuplicate.objects.get().reason == "Namesake"


def test_a_person_who_cannot_be_identified_dismisses_no_pair():
    first = register()
    same = validate_details(JANE)
    other = register_patient(
        same, by=None, source="portal", override_reason=UNIDENTIFIED_REASON, shown=[first.pk]
    )
    scan()
    assert open_pairs().keys() == {pair_of(first, other)}


def test_pairs_leave_when_they_no_longer_match_and_come_back():
    first, other, third = register(), register(), register(family_name="Third")
    fourth = register(family_name="Third")
    scan()
    archive_patient(first.pk, by=None, source="portal")
    change_patient(third.pk, {"date_of_birth": date(1950, 1, 2)}, by=None, source="portal")
    assert scan()["taken_off"] == 2
    assert not open_pairs()
    assert PossibleDuplicate.objects.get().state == PairState.GONE
    restore_patient(first.pk, by=None, source="portal")
    assert open_pairs().keys() == {pair_of(first, other)}
    assert not any(fourth.pk in pair for pair in open_pairs())


def test_scanning_one_patient_finds_what_the_whole_scan_would():
    first, other = register(), register(given_name="Rita")
    register(family_name="Third"), register(family_name="Third")
    assert scan_patients([other.pk]) == 1
    assert open_pairs() == {
        pair_of(first, other): ("probable", ["same family name", "same date of birth"])
    }


def test_a_large_group_is_paired_with_its_oldest_record_only(monkeypatch):
    monkeypatch.setattr(blocking, "MAX_FULLY_PAIRED", 3)
    monkeypatch.setattr(blocking, "MAX_GROUP_SIZE", 5)
    group = [register() for _ in range(4)]
    for _ in range(6):
        register(family_name="Unknown", given_name="")
    figures = scan()
    assert open_pairs().keys() == {pair_of(group[0], other) for other in group[1:]}
    assert figures["left_out"] == 1


def test_a_day_comes_whole_and_one_too_large_is_left_out():
    for day, count in ((1, 2), (2, 5), (3, 1), (4, 3)):
        for _ in range(count):
            register(date_of_birth=f"1984-03-0{day}")
    days = [
        (people[0]["date_of_birth"].day, len(people))
        for people in blocking.people_by_birth_date(slice_size=3)
    ]
    assert days == [(1, 2), (3, 1), (4, 3)]


def test_the_command_prints_figures_and_no_names(capsys):
    register(), register()
    out = StringIO()
    call_command("find_duplicates", stdout=out, stderr=StringIO())
    assert "1 new on the list" in out.getvalue()
    assert "Example" not in out.getvalue() + "".join(capsys.readouterr())
