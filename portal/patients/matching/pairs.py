"""The pairs of patients who may be one person: found among all, or around a few, and kept in step with the records."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from uuid import UUID

from portal.patients.matching.blocks import (
    KEYS,
    Two,
    alike_in,
    days_of_birth,
    groups_by,
    is_too_large,
    pairs_within,
)
from portal.patients.matching.duplicates import Match, match_of
from portal.patients.matching.facts import COLUMNS, facts_by_id
from portal.patients.matching.similar import others_than, similar_in
from portal.patients.matching.worklist import keep_pairs, review_pairs
from portal.patients.models import Patient, Status

Tell = Callable[[str], None]
Graded = tuple[Two, Match]
_SLICE = 2_000


def find_pairs(tell: Tell) -> dict[str, int]:
    """Look through all active patients, and bring the list in step; figures of what was compared and found.

    Each slice is a transaction of its own: cut off in the middle, it leaves pairs that are right. Again is safe.
    """
    figures = {"compared": 0, "new": 0, "left_out": 0}
    for key in KEYS:
        tell(key)
        _keep(_of_groups(key, figures), figures)
    _keep(_of_days(tell), figures)
    tell("what is on the list already")
    figures["taken_off"] = review_pairs()
    return figures


def note_pairs(patient_ids: Iterable[UUID]) -> int:
    """Look around these patients alone, a few dozen rows each; how many pairs are new. For a few hundred at most."""
    new = 0
    rows = Patient.objects.filter(pk__in=list(patient_ids), status=Status.ACTIVE).order_by("pk")
    for row in rows.values("pk", *COLUMNS):
        others = similar_in(others_than(Patient.objects.all(), row["pk"]), row)
        twos: list[Two] = [_in_order(row["pk"], match.patient_id) for match in others if match.grade.is_strong]
        new += keep_pairs(_strong(twos))
    review_pairs(patient_ids)
    return new


def _keep(twos: Iterator[Two], figures: dict[str, int]) -> None:
    while some := list(islice(twos, _SLICE)):
        figures["compared"] += len(some)
        figures["new"] += keep_pairs(_strong(some))


def _of_groups(key: str, figures: dict[str, int]) -> Iterator[Two]:
    for members in groups_by(key):
        figures["left_out"] += is_too_large(members)
        yield from pairs_within(members)


def _of_days(tell: Tell) -> Iterator[Two]:
    decade = 0
    for people in days_of_birth():
        if (now := people[0]["date_of_birth"].year // 10 * 10) != decade:
            decade = now
            tell(f"family names alike on one day of birth, {decade} to {decade + 9}")
        yield from alike_in(people)


def _in_order(one: UUID, other: UUID) -> Two:
    return (one, other) if one < other else (other, one)


def _strong(twos: Iterable[Two]) -> list[Graded]:
    """Those of them that the rules take for certain or probable, graded."""
    wanted = list(twos)
    facts = facts_by_id({one for two in wanted for one in two})
    there = [(first, second) for first, second in wanted if first in facts and second in facts]
    graded = [((first, second), match_of(second, facts[second], new=facts[first])) for first, second in there]
    return [(two, match) for two, match in graded if match and match.grade.is_strong]
