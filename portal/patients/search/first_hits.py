"""The hits that come before all others: a few exact ones, then a few of a much commoner name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from portal.patients.search import tuning
from portal.patients.search.conditions import Condition, is_among
from portal.patients.search.fuzzy import find_commoner_hits, reason_of
from portal.patients.search.hits import COMMONER, FIRST_EXACT, Hit, find_exact_hits
from portal.patients.search.interpretation import QueryInterpretation
from portal.patients.search.position import Position
from portal.patients.search.typed_name import TypedName

Reasons = Mapping[UUID, str]  # Of patients, by id.


@dataclass(frozen=True)
class FirstHits:
    """A few exact hits, then a few patients of a much commoner name, with reasons by id.

    The typed text may be a slip of the commoner name. Among many exact hits nobody would see it:
    `lope` finds more than ten names, and Lopez is not the first of them.
    """

    exact: Reasons = field(default_factory=dict)
    commoner: Reasons = field(default_factory=dict)
    places: Mapping[UUID, str] = field(default_factory=dict)  # Of the commoner ones, in the list.

    @property
    def ids(self) -> tuple[tuple[UUID, ...], tuple[UUID, ...]]:
        return tuple(self.exact), tuple(self.commoner)

    @property
    def interpretations(self) -> list[QueryInterpretation]:
        if not self.commoner:
            return []
        return [_finding(FIRST_EXACT, self.exact), _finding(COMMONER, self.commoner)]

    def put_first(self, hits: Sequence[Hit]) -> list[Hit]:
        """Returns the exact hits of a first page with the first hits before them."""
        if not self.commoner:
            return [*hits]
        first = [
            replace(hit, key=FIRST_EXACT, place=hit.sort_key)
            for hit in hits
            if hit.patient_id in self.exact
        ]
        commoner = [
            Hit(patient_id, reason, COMMONER, self.places[patient_id])
            for patient_id, reason in self.commoner.items()
        ]
        first.sort(key=_place)
        commoner.sort(key=_place)
        later = [
            hit
            for hit in hits
            if hit.patient_id not in self.exact and hit.patient_id not in self.commoner
        ]
        return [*first, *commoner, *later]


def _place(hit: Hit) -> tuple[str, UUID]:
    return hit.place, hit.patient_id


def _finding(key: str, reasons: Reasons) -> QueryInterpretation:
    return QueryInterpretation(key, is_among(reasons), lambda patient: reasons[patient.id])


def find_first_hits(
    patients: Condition, name: TypedName | None, exact_hits: Sequence[Hit]
) -> FirstHits:
    """Returns the first hits of a search, of which these are the exact ones: at least ten.

    The same ones come first on all pages, whatever changes.
    """
    enough = tuning.SEARCH.enough_exact_hits
    if name is None or len(name.words) != 1 or len(exact_hits) < enough:
        return FirstHits()
    found = find_commoner_hits(patients, name)
    exact = {hit.patient_id: hit.reason for hit in exact_hits[: tuning.SEARCH.exact_hits_first]}
    commoner = {
        patient_id: reason_of(word)
        for patient_id, (word, _) in found.items()
        if patient_id not in exact
    }
    places = {patient_id: place for patient_id, (_, place) in found.items()}
    return FirstHits(exact, commoner, places) if found else FirstHits()


def find_first_hits_again(
    patients: Condition,
    name: TypedName | None,
    interpretations: list[QueryInterpretation],
    position: Position,
) -> FirstHits:
    """Returns the first hits for a later page."""
    exact_ids, commoner_ids = position.first_hit_ids
    now = FirstHits()
    if position.key in (FIRST_EXACT, COMMONER):  # The page shows some of them, with reasons.
        hits = find_exact_hits(patients, interpretations, tuning.SEARCH.enough_exact_hits)
        now = find_first_hits(patients, name, hits)
    return FirstHits(
        {patient_id: now.exact.get(patient_id, "Name") for patient_id in exact_ids},
        {patient_id: now.commoner.get(patient_id, "Similar name") for patient_id in commoner_ids},
    )
