"""The exact hits of a page: each interpretation in turn, from where the page before ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from portal.patients.models import Patient
from portal.patients.search.changed_patients import read_past
from portal.patients.search.interpretation import QueryInterpretation
from portal.patients.search.moment import changed_since
from portal.patients.search.position import Position

# Keys of hits that are not exact, and of exact hits that stand before them, in cursors.
FUZZY, COMMONER, FIRST_EXACT = "guess", "likelier", "first"


@dataclass(frozen=True)
class Hit:
    """A patient, the reason why the text finds them, and the key of the interpretation.

    An exact hit has a `place`, by which it is sorted.
    """

    patient: Patient
    reason: str
    key: str = ""
    place: str = ""

    @property
    def shows_reason(self) -> bool:
        """Returns whether the reason adds to the name that is shown beside it."""
        return self.reason not in {"", "Name"}

    @property
    def is_approximate(self) -> bool:
        """Returns whether no field of the patient is exactly what was typed."""
        return self.key in {FUZZY, COMMONER}


@dataclass(frozen=True)
class _MovedHits:
    """The patients who `changed` since the first page was read, and those who are new since.

    `due` are those of them whom the search found then and finds now, and who were not shown yet,
    by the key of the interpretation, at the place that they had then.
    """

    changed: frozenset[UUID]
    due: dict[str, list[Hit]]


def find_exact_hits(
    patients: QuerySet[Patient],
    interpretations: Sequence[QueryInterpretation],
    limit: int,
    position: Position | None = None,
) -> list[Hit]:
    """Returns the hits after the position, each patient under the first interpretation only."""
    start = _index_of(position, interpretations)
    moved = _NOBODY
    if position and start < len(interpretations):
        moved = _moved_hits(patients, interpretations, position)
    hits: list[Hit] = []
    for at, interpretation in enumerate(interpretations[start:], start):
        if len(hits) >= limit:
            break
        found = _found_by(patients, interpretations, at)
        if position and at == start:
            found = found.filter(position.is_later)
        found = found.exclude(pk__in=moved.changed) if moved.changed else found
        rows = [_hit(row, row.place, interpretation) for row in found[: limit - len(hits)]]
        rows += moved.due.get(interpretation.key, [])
        hits += sorted(rows, key=lambda hit: (hit.place, hit.patient.pk))
    return hits[:limit]


_NOBODY = _MovedHits(frozenset(), {})


def _index_of(position: Position | None, interpretations: Sequence[QueryInterpretation]) -> int:
    """Returns with which interpretation the page begins; their number if past all of them."""
    if position is None:
        return 0
    keys = [interpretation.key for interpretation in interpretations]
    return keys.index(position.key) if position.key in keys else len(keys)


def _found_by(
    patients: QuerySet[Patient], interpretations: Sequence[QueryInterpretation], at: int
) -> QuerySet[Any, Any]:
    """Returns the patients whom this interpretation finds and none before it, in its order."""
    found = patients.filter(interpretations[at].condition)
    for earlier in interpretations[:at]:
        found = found.exclude(earlier.condition)
    return found.annotate(place=interpretations[at].order).order_by("place", "pk")


def _hit(patient: Any, place: str, interpretation: QueryInterpretation) -> Hit:
    return Hit(patient, interpretation.reason(patient), interpretation.key, place)


def _moved_hits(
    patients: QuerySet[Patient],
    interpretations: Sequence[QueryInterpretation],
    position: Position,
) -> _MovedHits:
    changed = changed_since(position.begun)
    if not changed:
        return _NOBODY
    start = _index_of(position, interpretations)
    places: dict[UUID, tuple[str, QueryInterpretation]] = {}
    for at, interpretation in enumerate(interpretations):
        found = _found_by(patients, interpretations, at).values_list("pk", "place")
        for patient_id, place in read_past(found, changed, at=position.begun):
            is_later = (place, patient_id) > (position.place, position.last_id)
            if at > start or (at == start and is_later):
                places[patient_id] = (place, interpretation)
    is_hit = reduce(or_, (interpretation.condition for interpretation in interpretations))
    due: dict[str, list[Hit]] = {}
    for patient in patients.filter(is_hit, pk__in=[*places]):
        place, interpretation = places[patient.pk]
        due.setdefault(interpretation.key, []).append(_hit(patient, place, interpretation))
    return _MovedHits(frozenset(changed), due)
