"""The search box: it knows MRNs, identifiers, phones, dates and names by shape; best hits first."""

import json
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_

from django.db.models import Case, QuerySet, Value, When

from portal.pagination import bad_cursor
from portal.patients.models import Patient
from portal.patients.search import tuning
from portal.patients.search.first_hits import FirstHits, find_first_hits
from portal.patients.search.fuzzy import find_fuzzy_hits
from portal.patients.search.hits import FUZZY, Hit, find_exact_hits
from portal.patients.search.interpretation import QueryInterpretation
from portal.patients.search.moment import (
    Moment,
    changed_since,
    moment_of_snapshot,
    one_snapshot,
    open_since,
)
from portal.patients.search.position import Position, parse_position
from portal.patients.search.query import interpret_query
from portal.patients.search.typed_name import parse_name
from portal.sealed_cursor import mark_of

MAX_FILTERED = 200  # patients that a text narrows a list to


@dataclass(frozen=True)
class SearchPage:
    """Some hits, best first, and the cursor of the next page; empty on the last page."""

    hits: list[Hit]
    next_cursor: str = ""

    @property
    def patients(self) -> list[Patient]:
        return [hit.patient for hit in self.hits]


def search(patients: QuerySet[Patient], text: str, *, after: str = "", limit: int) -> SearchPage:
    """Returns the page of patients that the text may mean, after the cursor `after`; none twice.

    An empty text means all patients, in the order of names. For any other text, patients come
    first who are exactly meant, then those found by beginnings and ends, each in the order of
    names, then those whose names sound alike or are misspelt.

    Changes between two pages leave out nobody and repeat nobody: a patient who is renamed meanwhile
    keeps the place of the first page, and one who is new comes in the next list.
    """
    position = parse_position(after, text)
    since = position.begun.since if position else open_since()
    with one_snapshot():
        return _read_page(patients, text, position, since, limit)


def _read_page(
    patients: QuerySet[Patient], text: str, position: Position | None, since: datetime, limit: int
) -> SearchPage:
    interpretations = interpret_query(text)
    first_hits = find_first_hits(patients, text, interpretations, position)
    interpretations = [*first_hits.interpretations, *interpretations]
    if position and position.key not in [*(known.key for known in interpretations), FUZZY]:
        raise bad_cursor()
    hits = find_exact_hits(patients, interpretations, limit + 1, position)
    if len(hits) <= limit:
        seen = {hit.patient.pk for hit in hits}
        fuzzy = _fuzzy_hits(patients, text, interpretations, hits, position, limit + 1)
        hits += [hit for hit in fuzzy if hit.patient.pk not in seen]
    if len(hits) <= limit:
        return SearchPage(hits)
    begun = position.begun if position else moment_of_snapshot(since)
    cursor = _position_after(hits[:limit], position, first_hits, begun).encode(text)
    return SearchPage(hits[:limit], cursor)


def _position_after(
    hits: list[Hit], position: Position | None, first_hits: FirstHits, begun: Moment
) -> Position:
    last = hits[-1]
    guesses = [mark_of(hit.patient.pk) for hit in hits if hit.key == FUZZY]
    if position:
        guesses = [*position.guesses, *guesses]
    return Position(last.key, last.place, last.patient.pk, begun, first_hits.ids, tuple(guesses))


def find_exact_patients(patients: QuerySet[Patient], text: str) -> QuerySet[Patient]:
    """Returns all patients that the text exactly means, for one statement that reads them all.

    They come by interpretation, the most exact first, then in the order of names.
    """
    found = interpret_query(text)
    interpretations = [whole for whole in found if not whole.is_partial]
    if not interpretations:
        return patients.none()
    if len(interpretations) == 1:
        return patients.filter(interpretations[0].condition).order_by("sort_key", "pk")
    conditions = [interpretation.condition for interpretation in interpretations]
    ranks = [When(condition, then=Value(at)) for at, condition in enumerate(conditions)]
    ranked = patients.filter(reduce(or_, conditions)).alias(rank=Case(*ranks))
    return ranked.order_by("rank", "sort_key", "pk")


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


def _fuzzy_hits(
    patients: QuerySet[Patient],
    text: str,
    interpretations: list[QueryInterpretation],
    exact_hits: list[Hit],
    position: Position | None,
    limit: int,
) -> list[Hit]:
    """Returns the fuzzy hits of a page, where the whole search has few exact hits.

    They are found anew for each page, and those that an earlier page showed are left out.
    """
    name, enough = parse_name(text), tuning.SEARCH.enough_exact_hits
    begins_here = position is not None and position.key == FUZZY
    if position:  # The exact hits of this page are not all of them.
        exact_hits = find_exact_hits(patients, interpretations, enough)
    if name is None or (len(exact_hits) >= enough and not begins_here):
        return []
    most = tuning.SEARCH.max_fuzzy_hits
    if position and (changed := changed_since(position.begun)):  # Shown already, under other names.
        patients = patients.exclude(pk__in=changed)
    found = find_fuzzy_hits(
        patients,
        name,
        limit=most if begins_here else min(limit, most),
        has_exact_hits=bool(exact_hits),
    )
    shown = position.guesses if position else ()
    return [
        Hit(patient, reason, FUZZY) for patient, reason in found if mark_of(patient.pk) not in shown
    ]
