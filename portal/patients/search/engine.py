"""The search box: it knows MRNs, identifiers, phones, dates and names by shape; best hits first."""

import json
from contextlib import nullcontext
from dataclasses import dataclass

from django.db.models import Case, QuerySet, Value, When

from portal.pagination import bad_cursor
from portal.patients.models import Patient
from portal.patients.search import tuning
from portal.patients.search.conditions import Condition, any_of, condition_of, is_none_of
from portal.patients.search.first_hits import FirstHits, find_first_hits, find_first_hits_again
from portal.patients.search.fuzzy import find_fuzzy_hits, may_be_misspelt
from portal.patients.search.hits import COMMONER, FUZZY, Hit, find_exact_hits
from portal.patients.search.interpretation import QueryInterpretation
from portal.patients.search.moment import (
    Moment,
    Snapshot,
    changed_since,
    moment_of_snapshot,
    one_snapshot,
    open_since,
)
from portal.patients.search.position import Position, parse_position
from portal.patients.search.query import interpret_query
from portal.patients.search.statements import is_one_statement
from portal.patients.search.typed_name import TypedName, parse_name
from portal.sealed_cursor import mark_of

MAX_FILTERED = 200  # patients that a text narrows a list to


@dataclass(frozen=True)
class HitPage:
    """Some hits, best first, and the cursor of the next page; empty on the last page."""

    hits: list[Hit]
    next_cursor: str = ""


@dataclass(frozen=True)
class PatientHit:
    """A hit with the whole patient."""

    patient: Patient
    hit: Hit

    @property
    def reason(self) -> str:
        return self.hit.reason

    @property
    def key(self) -> str:
        return self.hit.key

    @property
    def shows_reason(self) -> bool:
        """Returns whether the reason adds to the name that is shown beside it."""
        return self.reason not in {"", "Name"}

    @property
    def is_approximate(self) -> bool:
        """Returns whether no field of the patient is exactly what was typed."""
        return self.key in {FUZZY, COMMONER}


@dataclass(frozen=True)
class SearchPage:
    """A page of hits with their patients."""

    hits: list[PatientHit]
    next_cursor: str = ""

    @property
    def patients(self) -> list[Patient]:
        return [hit.patient for hit in self.hits]


def search(patients: QuerySet[Patient], text: str, *, after: str = "", limit: int) -> SearchPage:
    """Returns the page of `find_hits` with the patients."""
    asked = begin_search(patients, text, after)
    snapshot = _begin_snapshot(asked)
    with one_snapshot():
        page = _read_page(asked, limit, snapshot)
        by_id = patients.in_bulk([hit.patient_id for hit in page.hits])
    return SearchPage(
        [PatientHit(by_id[hit.patient_id], hit) for hit in page.hits], page.next_cursor
    )


def find_hits(patients: QuerySet[Patient], text: str, *, after: str = "", limit: int) -> HitPage:
    """Returns the page of patients that the text may mean, after the cursor `after`; none twice.

    An empty text means all patients, in the order of names. For any other text, patients come
    first who are exactly meant, then those found by beginnings and ends, each in the order of
    names, then those whose names sound alike or are misspelt.

    Changes between two pages leave out nobody and repeat nobody: a patient who is renamed meanwhile
    keeps the place of the first page, and one who is new comes in the next list.
    """
    return read_hits(begin_search(patients, text, after), limit)


@dataclass(frozen=True)
class Search:
    """A search before anything of it is read."""

    patients: Condition
    text: str
    name: TypedName | None
    interpretations: list[QueryInterpretation]
    position: Position | None

    @property
    def is_one_statement(self) -> bool:
        """Returns whether one statement reads the page, so that it needs no transaction."""
        if self.position or (self.name and may_be_misspelt(self.name)):
            return False
        return is_one_statement(self.patients, self.interpretations)


def begin_search(patients: QuerySet[Patient], text: str, after: str) -> Search:
    position = parse_position(after, text)
    interpretations, name = interpret_query(text), parse_name(text)
    return Search(condition_of(patients), text, name, interpretations, position)


def read_hits(asked: Search, limit: int) -> HitPage:
    """Returns the page of `find_hits`."""
    snapshot = _begin_snapshot(asked)
    with nullcontext() if asked.is_one_statement else one_snapshot():
        return _read_page(asked, limit, snapshot)


def _begin_snapshot(asked: Search) -> Snapshot:
    """Returns since when others may have written; the snapshot is taken after it."""
    return Snapshot(asked.position.begun.since if asked.position else open_since())


def most_hits(limit: int) -> int:
    """Returns how many exact hits a first page needs: whether there is a next one, or enough."""
    return max(limit + 1, tuning.SEARCH.enough_exact_hits)


def _read_page(asked: Search, limit: int, snapshot: Snapshot) -> HitPage:
    patients, name, position = asked.patients, asked.name, asked.position
    interpretations = asked.interpretations
    if position:
        first_hits = find_first_hits_again(patients, name, interpretations, position)
        interpretations = [*first_hits.interpretations, *interpretations]
        if position.key not in [*(known.key for known in interpretations), FUZZY]:
            raise bad_cursor()
        hits = find_exact_hits(patients, interpretations, limit + 1, position)
    else:
        hits = find_exact_hits(patients, interpretations, most_hits(limit), snapshot=snapshot)
        first_hits = find_first_hits(patients, name, hits)
        hits = first_hits.put_first(hits)[: limit + 1]
    if name and len(hits) <= limit:
        seen = {hit.patient_id for hit in hits}
        fuzzy = _fuzzy_hits(patients, name, interpretations, hits, position, limit + 1)
        hits += [hit for hit in fuzzy if hit.patient_id not in seen]
    return page_of_hits(asked, hits, limit, snapshot, first_hits)


def page_of_hits(
    asked: Search, hits: list[Hit], limit: int, snapshot: Snapshot, first_hits: FirstHits
) -> HitPage:
    """Returns the first of these hits as a page, with the cursor of the next if there are more."""
    if len(hits) <= limit:
        return HitPage(hits)
    position = asked.position
    begun = position.begun if position else moment_of_snapshot(snapshot)
    cursor = _position_after(hits[:limit], position, first_hits, begun).encode(asked.text)
    return HitPage(hits[:limit], cursor)


def _position_after(
    hits: list[Hit], position: Position | None, first_hits: FirstHits, begun: Moment
) -> Position:
    last = hits[-1]
    guesses = [mark_of(hit.patient_id) for hit in hits if hit.key == FUZZY]
    if position:
        guesses = [*position.guesses, *guesses]
    return Position(last.key, last.place, last.patient_id, begun, first_hits.ids, tuple(guesses))


def find_exact_patients(patients: QuerySet[Patient], text: str) -> QuerySet[Patient]:
    """Returns all patients that the text exactly means, for one statement that reads them all.

    They come by interpretation, the most exact first, then in the order of names.
    """
    interpretations = [whole for whole in interpret_query(text) if not whole.is_partial]
    if not interpretations:
        return patients.none()
    conditions = [interpretation.condition for interpretation in interpretations]
    found = patients.filter(any_of(conditions).expression)
    if len(conditions) == 1:
        return found.order_by("sort_key", "pk")
    ranks = [When(condition.expression, then=Value(at)) for at, condition in enumerate(conditions)]
    ranked = found.alias(rank=Case(*ranks))
    return ranked.order_by("rank", "sort_key", "pk")


def filter_by_search(patients: QuerySet[Patient], text: str) -> QuerySet[Patient]:
    """Returns the first patients that the text may mean; all of them for an empty text."""
    if not text.strip():
        return patients
    page = find_hits(patients, text, limit=MAX_FILTERED)
    return patients.filter(pk__in=[hit.patient_id for hit in page.hits])


def estimate_count(patients: QuerySet[Patient], text: str) -> int:
    """Returns the database's estimate, from its statistics: to count would be to read them all."""
    interpretations = interpret_query(text)
    if not interpretations:
        return 0
    condition = any_of(interpretation.condition for interpretation in interpretations)
    found = patients.filter(condition.expression).order_by()
    plan = json.loads(found.explain(format="json"))
    return int(plan[0]["Plan"]["Plan Rows"])


def _fuzzy_hits(
    patients: Condition,
    name: TypedName,
    interpretations: list[QueryInterpretation],
    exact_hits: list[Hit],
    position: Position | None,
    limit: int,
) -> list[Hit]:
    """Returns the fuzzy hits of a page, where the whole search has few exact hits.

    They are found anew for each page, and those that an earlier page showed are left out.
    """
    enough = tuning.SEARCH.enough_exact_hits
    begins_here = position is not None and position.key == FUZZY
    if position:  # The exact hits of this page are not all of them.
        exact_hits = find_exact_hits(patients, interpretations, enough)
    if len(exact_hits) >= enough and not begins_here:
        return []
    most = tuning.SEARCH.max_fuzzy_hits
    if position:  # Who changed was shown already, under another name.
        patients &= is_none_of(changed_since(position.begun))
    found = find_fuzzy_hits(
        patients,
        name,
        limit=most if begins_here else min(limit, most),
        has_exact_hits=bool(exact_hits),
    )
    shown = position.guesses if position else ()
    return [
        Hit(patient_id, reason, FUZZY)
        for patient_id, reason in found
        if mark_of(patient_id) not in shown
    ]
