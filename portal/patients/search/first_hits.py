"""The hits that come before all others: a few exact ones, then a few of a much commoner name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import Q, QuerySet

from portal.patients.models import Patient
from portal.patients.search import tuning
from portal.patients.search.fuzzy import find_commoner_hits, reason_of
from portal.patients.search.hits import COMMONER, FIRST_EXACT, find_exact_hits
from portal.patients.search.interpretation import QueryInterpretation
from portal.patients.search.position import Position
from portal.patients.search.typed_name import parse_name

Reasons = Mapping[UUID, str]  # Of patients, by id.


@dataclass(frozen=True)
class FirstHits:
    """A few exact hits, then a few patients of a much commoner name, with reasons by id.

    The typed text may be a slip of the commoner name. Among many exact hits nobody would see it:
    `lope` finds more than ten names, and Lopez is not the first of them.
    """

    exact: Reasons = field(default_factory=dict)
    commoner: Reasons = field(default_factory=dict)

    @property
    def ids(self) -> tuple[tuple[UUID, ...], tuple[UUID, ...]]:
        return tuple(self.exact), tuple(self.commoner)

    @property
    def interpretations(self) -> list[QueryInterpretation]:
        if not self.commoner:
            return []
        return [_finding(FIRST_EXACT, self.exact), _finding(COMMONER, self.commoner)]


def _finding(key: str, reasons: Reasons) -> QueryInterpretation:
    return QueryInterpretation(key, Q(pk__in=[*reasons]), lambda patient: reasons[patient.pk])


def find_first_hits(
    patients: QuerySet[Patient],
    text: str,
    interpretations: list[QueryInterpretation],
    position: Position | None,
) -> FirstHits:
    """Returns the first hits: the same ones on all pages of a search, whatever changes."""
    if position is None:
        return _find_now(patients, text, interpretations)
    exact_ids, commoner_ids = position.first_hit_ids
    now = FirstHits()
    if position.key in (FIRST_EXACT, COMMONER):  # The page shows some of them, with reasons.
        now = _find_now(patients, text, interpretations)
    return FirstHits(
        {patient_id: now.exact.get(patient_id, "Name") for patient_id in exact_ids},
        {patient_id: now.commoner.get(patient_id, "Similar name") for patient_id in commoner_ids},
    )


def _find_now(
    patients: QuerySet[Patient], text: str, interpretations: list[QueryInterpretation]
) -> FirstHits:
    name = parse_name(text)
    if name is None or len(name.words) != 1:
        return FirstHits()
    enough = tuning.SEARCH.enough_exact_hits
    hits = find_exact_hits(patients, interpretations, enough)
    words = find_commoner_hits(patients, name) if len(hits) == enough else {}
    exact = {hit.patient.pk: hit.reason for hit in hits[: tuning.SEARCH.exact_hits_first]}
    commoner = {
        patient_id: reason_of(word) for patient_id, word in words.items() if patient_id not in exact
    }
    return FirstHits(exact, commoner) if words else FirstHits()
