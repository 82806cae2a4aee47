"""The search box: it knows MRNs, identifiers, phones, dates and names by shape; best hits first."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import NamedTuple
from uuid import UUID

from django.db.models import Case, Q, QuerySet, Value, When

from portal.errors import FieldProblem, InvalidInput
from portal.patients.models import Patient
from portal.patients.search import tuning
from portal.patients.search.fuzzy import find_commoner_hits, find_fuzzy_hits, reason_of
from portal.patients.search.query import QueryInterpretation, interpret_query, parse_name

MAX_FILTERED = 200  # patients that a text narrows a list to

# Keys of hits in cursors, which clients hold.
_FUZZY, _COMMONER, _FIRST_EXACT = "guess", "likelier", "first"


@dataclass(frozen=True)
class Hit:
    """A patient, the reason why the text finds them, and the key of the interpretation."""

    patient: Patient
    reason: str
    key: str = ""

    @property
    def shows_reason(self) -> bool:
        """Returns whether the reason adds to the name that is shown beside it."""
        return self.reason not in {"", "Name"}

    @property
    def is_approximate(self) -> bool:
        """Returns whether no field of the patient is exactly what was typed."""
        return self.key in {_FUZZY, _COMMONER}


@dataclass(frozen=True)
class SearchPage:
    """Some hits, best first, and the cursor of the next page; empty on the last page."""

    hits: list[Hit]
    next_cursor: str = ""

    @property
    def patients(self) -> list[Patient]:
        return [hit.patient for hit in self.hits]


class _Position(NamedTuple):
    """Where a page begins: with an interpretation, behind the last patient of the page before."""

    interpretation: int
    last_id: UUID | None


_BEGINNING = _Position(0, None)


def search(
    patients: QuerySet[Patient],
    text: str,
    *,
    after: str = "",
    limit: int,
    with_approximate: bool = True,
) -> SearchPage:
    """Returns the page of patients that the text may mean, behind the cursor `after`; none twice.

    An empty text means all patients, in the order of names. For any other text, patients come
    first who are exactly meant, then those found by beginnings and ends, each in the order of
    names, then, `with_approximate`, those whose names sound alike or are misspelt.
    """
    interpretations = interpret_query(text)
    if with_approximate:
        commoner = _commoner_interpretations(patients, text, interpretations)
        interpretations = [*commoner, *interpretations]
    position = _parse_cursor(after, interpretations)
    hits = _exact_hits(patients, interpretations, limit + 1, position)
    if with_approximate and len(hits) <= limit:
        seen = {hit.patient.pk for hit in hits}
        fuzzy = _fuzzy_hits(patients, text, interpretations, hits, position, limit + 1)
        hits += [hit for hit in fuzzy if hit.patient.pk not in seen]
    if len(hits) <= limit:
        return SearchPage(hits)
    last = hits[limit - 1]
    return SearchPage(hits[:limit], f"{last.key}.{last.patient.pk}".lstrip("."))


def exact_hits(patients: QuerySet[Patient], text: str) -> QuerySet[Patient]:
    """Returns all patients that the text exactly means, for one statement that reads them all.

    They come by interpretation, the most exact first, then in the order of names.
    """
    interpretations = interpret_query(text)
    if not interpretations:
        return patients.none()
    if len(interpretations) == 1:
        return patients.filter(interpretations[0].condition).order_by("sort_key", "pk")
    conditions = [interpretation.condition for interpretation in interpretations]
    ranks = [When(condition, then=Value(at)) for at, condition in enumerate(conditions)]
    found = patients.filter(reduce(or_, conditions)).alias(rank=Case(*ranks))
    return found.order_by("rank", "sort_key", "pk")


def filter_by_search(patients: QuerySet[Patient], text: str) -> QuerySet[Patient]:
    """Returns the first patients that the text may mean; all of them for an empty text."""
    if not text.strip():
        return patients
    page = search(patients, text, limit=MAX_FILTERED)
    return patients.filter(pk__in=[patient.pk for patient in page.patients])


def estimate_count(patients: QuerySet[Patient], text: str) -> int:
    """Returns the database's estimate, from its statistics: to count would be to read them all."""
    interpretations = interpret_query(text)
    if not interpretations:
        return 0
    condition = reduce(or_, (interpretation.condition for interpretation in interpretations))
    plan = json.loads(patients.filter(condition).order_by().explain(format="json"))
    return int(plan[0]["Plan"]["Plan Rows"])


def _commoner_interpretations(
    patients: QuerySet[Patient], text: str, interpretations: list[QueryInterpretation]
) -> list[QueryInterpretation]:
    """Returns interpretations that put a few bearers of a much commoner name behind the first hits.

    Where there are many exact hits, nobody would see the slip otherwise: `lope` finds more than
    ten names, and Lopez is not the first of them.
    """
    name = parse_name(text)
    if name is None or len(name.words) != 1:
        return []
    enough = tuning.SEARCH.enough_exact_hits
    exact = _exact_hits(patients, interpretations, enough)
    commoner = find_commoner_hits(patients, name) if len(exact) == enough else {}
    if not commoner:
        return []
    reasons = {hit.patient.pk: hit.reason for hit in exact[: tuning.SEARCH.exact_hits_first]}
    commoner_ids = [patient_id for patient_id in commoner if patient_id not in reasons]
    return [
        QueryInterpretation(
            _FIRST_EXACT, Q(pk__in=[*reasons]), lambda patient: reasons[patient.pk]
        ),
        QueryInterpretation(
            _COMMONER,
            Q(pk__in=commoner_ids),
            lambda patient: reason_of(commoner[patient.pk], name),
        ),
    ]


def _exact_hits(
    patients: QuerySet[Patient],
    interpretations: Sequence[QueryInterpretation],
    limit: int,
    position: _Position = _BEGINNING,
) -> list[Hit]:
    """Returns the hits from the position on, each patient under the first interpretation only."""
    start, last_id = position
    hits: list[Hit] = []
    for at, interpretation in enumerate(interpretations[start:], start):
        if len(hits) >= limit:
            break
        found = patients.filter(interpretation.condition)
        for earlier in interpretations[:at]:
            found = found.exclude(earlier.condition)
        found = found.alias(place=interpretation.order).order_by("place", "pk")
        if at == start and last_id:
            found = found.filter(_is_behind(last_id, interpretation))
        hits += [
            Hit(patient, interpretation.reason(patient), interpretation.key)
            for patient in found[: limit - len(hits)]
        ]
    return hits


def _is_behind(last_id: UUID, interpretation: QueryInterpretation) -> Q:
    """Returns the condition to stand behind this patient in the interpretation's order.

    A cursor names the patient and not the place, which is a name: addresses are seen by others.
    """
    last = Patient.objects.filter(pk=last_id)
    place = last.values_list(interpretation.order, flat=True).first()
    if place is None:
        raise _bad_cursor()
    is_behind = Q(place__gt=place) | Q(place=place, pk__gt=last_id)
    return is_behind & Q(place__gte=place)  # The second alone is a range of the index.


def _fuzzy_hits(
    patients: QuerySet[Patient],
    text: str,
    interpretations: list[QueryInterpretation],
    exact_hits: list[Hit],
    position: _Position,
    limit: int,
) -> list[Hit]:
    """Returns the fuzzy hits of a page, where the whole search has few exact hits.

    They are found anew for each page; a page that begins among them leaves out those before.
    """
    name, enough = parse_name(text), tuning.SEARCH.enough_exact_hits
    if position.last_id:  # The exact hits of this page are not all of them.
        exact_hits = _exact_hits(patients, interpretations, enough)
    if name is None or len(exact_hits) >= enough:
        return []
    begins_here = position.last_id is not None and position.interpretation == len(interpretations)
    most = tuning.SEARCH.max_fuzzy_hits
    found = find_fuzzy_hits(
        patients,
        name,
        limit=most if begins_here else min(limit, most),
        has_exact_hits=bool(exact_hits),
    )
    hits = [Hit(patient, reason, _FUZZY) for patient, reason in found]
    ids = [hit.patient.pk for hit in hits]
    if begins_here and position.last_id in ids:
        return hits[ids.index(position.last_id) + 1 :]
    return hits


def _parse_cursor(cursor: str, interpretations: list[QueryInterpretation]) -> _Position:
    if not cursor:
        return _BEGINNING
    key, _, last_id = cursor.rpartition(".")
    keys = [*(interpretation.key for interpretation in interpretations), _FUZZY]
    try:
        return _Position(keys.index(key), UUID(last_id))
    except ValueError as error:
        raise _bad_cursor() from error


def _bad_cursor() -> InvalidInput:
    detail = "This cursor is not one of ours. Start again without it."
    return InvalidInput(errors=[FieldProblem("cursor", "bad-cursor", detail)])
