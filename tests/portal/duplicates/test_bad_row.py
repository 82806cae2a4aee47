"""A record that the rules cannot take is set aside and told; a scan compares all others."""

import pytest

from portal.duplicates import scans, worklist
from portal.duplicates.scans import find_pairs, scan_patients
from portal.patients.matching import rules
from portal.patients.models import PossibleDuplicate
from tests.portal.duplicates.test_find_pairs import open_pairs, register

pytestmark = pytest.mark.django_db
BAD = {"family_name": "Badly", "given_name": "Bo", "date_of_birth": "1950-01-02"}


@pytest.fixture
def bad(monkeypatch):
    """A pair of which one record makes the rules fail."""
    first, second = register(**BAD), register(**BAD)
    grade = rules.grade_match

    def grade_or_fail(known_id, known, *, new):
        if second.pk == known_id:
            raise ValueError("a value of a patient")
        return grade(known_id, known, new=new)

    for module in (scans, worklist):
        monkeypatch.setattr(module, "grade_match", grade_or_fail)
    return first, second


def test_a_scan_finds_the_pairs_of_the_others(bad, caplog):
    others = register(), register()
    find_pairs(lambda _: None)
    assert set(open_pairs()) == {frozenset(patient.pk for patient in others)}
    assert "records_not_compared" in caplog.text
    assert "a value of a patient" not in caplog.text


def test_a_pair_on_the_list_stays_while_nobody_can_compare_it(bad):
    first, second = sorted(bad, key=lambda patient: patient.pk)
    PossibleDuplicate.objects.create(first=first, second=second, grade="certain", reasons=["x"])
    worklist.refresh_pairs()
    assert set(open_pairs()) == {frozenset((first.pk, second.pk))}


def test_the_look_around_changed_patients_goes_on(monkeypatch):
    bad, others = register(**BAD), (register(), register())
    find = scans.find_matches

    def find_or_fail(patients, row):
        if row["pk"] == bad.pk:
            raise ValueError
        return find(patients, row)

    monkeypatch.setattr(scans, "find_matches", find_or_fail)
    scan_patients([bad.pk, *(patient.pk for patient in others)])
    assert set(open_pairs()) == {frozenset(patient.pk for patient in others)}
