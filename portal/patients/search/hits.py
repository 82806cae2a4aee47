"""The exact hits of a page: each interpretation in turn, from where the page before ended."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from portal.patients.search.changed_patients import read_past
from portal.patients.search.conditions import (
    Condition,
    all_of,
    any_of,
    is_among,
    is_none_of,
)
from portal.patients.search.interpretation import FoundPatient, QueryInterpretation
from portal.patients.search.moment import Snapshot, changed_since
from portal.patients.search.position import Position
from portal.patients.search.statements import read_group, read_one, read_together

# Keys of hits that are not exact, and of exact hits that stand before them, in cursors.
FUZZY, COMMONER, FIRST_EXACT = "guess", "likelier", "first"


@dataclass(frozen=True)
class Hit:
    """A patient's id, the reason why the text finds them, and the key of the interpretation.

    An exact hit has a `place`, by which it is sorted. The `sort_key` is its place in the list.
    """

    patient_id: UUID
    reason: str
    key: str = ""
    place: str = ""
    sort_key: str = ""


@dataclass(frozen=True)
class _MovedHits:
    """The patients who `changed` since the first page was read, and those who are new since.

    `due` are those of them whom the search found then and finds now, and who were not shown yet,
    by the key of the interpretation, at the place that they had then.
    """

    changed: frozenset[UUID]
    due: dict[str, list[Hit]]


_NOBODY = _MovedHits(frozenset(), {})


def find_exact_hits(
    patients: Condition,
    interpretations: Sequence[QueryInterpretation],
    limit: int,
    position: Position | None = None,
    snapshot: Snapshot | None = None,
) -> list[Hit]:
    """Returns the hits after the position, each patient under the first interpretation only.

    Without a position, `snapshot` learns what the first statement saw.
    """
    if position is None:
        return _first_exact_hits(patients, interpretations, limit, snapshot)
    start = _index_of(position, interpretations)
    moved = _NOBODY
    if start < len(interpretations):
        moved = _moved_hits(patients, interpretations, position)
    hits: list[Hit] = []
    for at, interpretation in enumerate(interpretations[start:], start):
        if len(hits) >= limit:
            break
        found = patients & _not_before(interpretations, at) & is_none_of(moved.changed)
        if at == start:
            found &= position.is_later(interpretation.order)
        rows = [
            hit_of(patient, patient.place, interpretation)
            for patient in read_one(found, interpretation, limit - len(hits))
        ]
        rows += moved.due.get(interpretation.key, [])
        hits += sorted(rows, key=lambda hit: (hit.place, hit.patient_id))
    return hits[:limit]


def _first_exact_hits(
    patients: Condition,
    interpretations: Sequence[QueryInterpretation],
    limit: int,
    snapshot: Snapshot | None,
) -> list[Hit]:
    """Returns the hits of a first page: all hits of the earlier interpretations are at hand."""
    hits: list[Hit] = []
    for group in read_together(patients, interpretations):
        if len(hits) >= limit:
            break
        seen = [hit.patient_id for hit in hits]
        found = read_group(patients, group, seen, limit - len(hits), snapshot)
        hits += [hit_of(patient, patient.place, whole) for patient, whole in found]
    return hits


def read_patients(
    patients: Condition, patient_ids: Collection[UUID], *, needs_identifiers: bool
) -> dict[UUID, FoundPatient]:
    """Returns those of the patients who have one of these ids, by id."""
    named = QueryInterpretation(
        "", is_among(patient_ids), lambda _: "", needs_identifiers=needs_identifiers
    )
    return {patient.id: patient for patient in read_one(patients, named, len(patient_ids))}


def _index_of(position: Position | None, interpretations: Sequence[QueryInterpretation]) -> int:
    """Returns with which interpretation the page begins; their number if past all of them."""
    if position is None:
        return 0
    keys = [interpretation.key for interpretation in interpretations]
    return keys.index(position.key) if position.key in keys else len(keys)


def _not_before(interpretations: Sequence[QueryInterpretation], at: int) -> Condition:
    """Returns the condition that no interpretation before this one finds the patient."""
    return all_of(earlier.condition.opposite for earlier in interpretations[:at])


def hit_of(patient: FoundPatient, place: str, interpretation: QueryInterpretation) -> Hit:
    """Returns the hit of a patient whom an interpretation finds at this place."""
    reason = interpretation.reason(patient)
    return Hit(patient.id, reason, interpretation.key, place, patient.sort_key)


def _moved_hits(
    patients: Condition,
    interpretations: Sequence[QueryInterpretation],
    position: Position,
) -> _MovedHits:
    changed = changed_since(position.begun)
    if not changed:
        return _NOBODY
    start = _index_of(position, interpretations)
    places: dict[UUID, tuple[str, QueryInterpretation]] = {}
    for at, interpretation in enumerate(interpretations):
        found = patients & _not_before(interpretations, at) & interpretation.condition
        past = read_past(found, interpretation.order, changed, at=position.begun)
        for patient_id, place in past:
            is_later = (place, patient_id) > (position.place, position.last_id)
            if at > start or (at == start and is_later):
                places[patient_id] = (place, interpretation)
    due: dict[str, list[Hit]] = {}
    is_hit = any_of(interpretation.condition for interpretation in interpretations)
    for patient in read_patients(patients & is_hit, places, needs_identifiers=True).values():
        place, interpretation = places[patient.id]
        due.setdefault(interpretation.key, []).append(hit_of(patient, place, interpretation))
    return _MovedHits(frozenset(changed), due)
