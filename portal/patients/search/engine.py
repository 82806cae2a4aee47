"""One box that knows record numbers, identifiers, phones, dates and names by their shape; the best hits first."""

import json
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from portal.errors import FieldProblem, InvalidInput
from portal.patients.models import Patient
from portal.patients.search.fuzzy import find_fuzzy_hits, likelier, said
from portal.patients.search.query import QueryInterpretation, interpret_query, parse_name

FEW = 10  # With fewer hits than these, words that sound alike or are misspelt are looked for too.
GUESSES = 50  # Hits of that kind at most: nobody reads more of them.
FIRST = 6  # Exact hits before a few of a name that is far more common than what was typed.
_GUESS, _LIKELIER = "guess", "likelier"


@dataclass(frozen=True)
class Hit:
    """A patient, why the text finds them, and the key of the reading that did."""

    patient: Patient
    reason: str
    key: str = ""

    @property
    def shows_reason(self) -> bool:
        """Whether the reason says more than the name that is shown beside it."""
        return self.reason not in {"", "Name"}

    @property
    def is_approximate(self) -> bool:
        """Whether nothing of the patient is exactly what was typed."""
        return self.key in {_GUESS, _LIKELIER}


@dataclass(frozen=True)
class SearchPage:
    """Some hits, best first, and the cursor of those behind them; empty on the last page."""

    hits: list[Hit]
    next_cursor: str = ""

    @property
    def patients(self) -> list[Patient]:
        return [hit.patient for hit in self.hits]


def search(
    patients: QuerySet[Patient],
    text: str,
    *,
    after: str = "",
    limit: int,
    with_approximate: bool = True,
) -> SearchPage:
    """Those of `patients` whom the text may mean, from the cursor on; nobody comes twice.

    For an empty text all of them, in the order of their names. Else whom the text means exactly, then beginnings and
    tails, each in the order of names, then, `with_approximate`, whose name sounds alike or is misspelt.
    """
    readings = interpret_query(text)
    if with_approximate:
        readings = [*_opening(patients, text, readings), *readings]
    start, last = _place(after, readings)
    hits = _exact_hits(patients, readings[start:], last, limit + 1, earlier=readings[:start])
    if with_approximate and len(hits) <= limit:
        seen = {hit.patient.pk for hit in hits}
        guessed = _guessed(patients, text, readings, hits, start, last, limit + 1)
        hits += [hit for hit in guessed if hit.patient.pk not in seen]
    shown = hits[:limit]
    return SearchPage(
        shown, f"{shown[-1].key}.{shown[-1].patient.pk}".lstrip(".") if len(hits) > limit else ""
    )


def filter_by_search(patients: QuerySet[Patient], text: str) -> QuerySet[Patient]:
    """The first 200 of those whom the text may mean, as a set; all of them for an empty text."""
    if not text.strip():
        return patients
    return patients.filter(
        pk__in=[patient.pk for patient in search(patients, text, limit=200).patients]
    )


def estimate_count(patients: QuerySet[Patient], text: str) -> int:
    """About how many there are, as the database guesses out of its statistics: counting reads them all."""
    readings = interpret_query(text)
    if not readings:
        return 0
    meant = reduce(or_, (reading.condition for reading in readings))
    plan = json.loads(patients.filter(meant).order_by().explain(format="json"))
    return int(plan[0]["Plan"]["Plan Rows"])


def _opening(
    patients: QuerySet[Patient], text: str, readings: list[QueryInterpretation]
) -> list[QueryInterpretation]:
    """Readings that put a few of a far more common name behind the first exact hits, where there are many of those.

    Else nobody would see that it is a slip: `lope` finds more than ten names, and Lopez is not the first of them.
    """
    name = parse_name(text)
    if name is None or len(name.words) != 1:
        return []
    hits = _exact_hits(patients, readings, None, FEW, earlier=[])
    near = likelier(patients, name) if len(hits) == FEW else {}
    if not near:
        return []
    first = {hit.patient.pk: hit.reason for hit in hits[:FIRST]}
    near_ids = [one for one in near if one not in first]
    return [
        QueryInterpretation("first", Q(pk__in=[*first]), lambda patient: first[patient.pk]),
        QueryInterpretation(
            _LIKELIER, Q(pk__in=near_ids), lambda patient: said(near[patient.pk], name)
        ),
    ]


def _exact_hits(
    patients: QuerySet[Patient],
    readings: list[QueryInterpretation],
    last: UUID | None,
    wanted: int,
    *,
    earlier: list[QueryInterpretation],
) -> list[Hit]:
    hits: list[Hit] = []
    earlier = [*earlier]
    for reading in readings:
        if len(hits) >= wanted:
            break
        found = patients.filter(reading.condition)
        for one in earlier:
            found = found.exclude(one.condition)
        found = found.alias(place=reading.order).order_by("place", "pk")
        if last:
            found, last = _behind(found, reading, last), None
        hits += [
            Hit(patient, reading.reason(patient), reading.key)
            for patient in found[: wanted - len(hits)]
        ]
        earlier.append(reading)
    return hits


def _guessed(
    patients: QuerySet[Patient],
    text: str,
    readings: list[QueryInterpretation],
    hits: list[Hit],
    start: int,
    last: UUID | None,
    wanted: int,
) -> list[Hit]:
    """The guesses of this page; none where the whole search, whichever page is asked for, has no lack of exact hits."""
    exact = len(_exact_hits(patients, readings, None, FEW, earlier=[]) if last else hits)
    name = parse_name(text)
    if name is None or exact >= FEW:
        return []
    is_behind = last is not None and start == len(readings)
    most = GUESSES if is_behind else min(wanted, GUESSES)  # They are found anew for each page.
    found = find_fuzzy_hits(patients, name, limit=most, few=exact > 0)
    hits = [Hit(patient, reason, _GUESS) for patient, reason in found]
    places = [at for at, hit in enumerate(hits) if is_behind and hit.patient.pk == last]
    return hits[places[0] + 1 :] if places else hits


def _behind(found: QuerySet[Any], reading: QueryInterpretation, last: UUID) -> QuerySet[Patient]:
    """What stands behind the patient that a cursor names; a cursor holds no name, since addresses are seen."""
    there = Patient.objects.filter(pk=last).values_list(reading.order, flat=True).first()
    if there is None:
        raise _bad_cursor()
    behind = Q(place__gt=there) | Q(place=there, pk__gt=last)
    return found.filter(behind, place__gte=there)  # The last alone is a place in the index.


def _place(cursor: str, readings: list[QueryInterpretation]) -> tuple[int, UUID | None]:
    """The reading to go on with, and the patient whom the last page ended with."""
    if not cursor:
        return 0, None
    key, _, last = cursor.rpartition(".")
    try:
        return [*(reading.key for reading in readings), _GUESS].index(key), UUID(last)
    except ValueError as error:
        raise _bad_cursor() from error


def _bad_cursor() -> InvalidInput:
    return InvalidInput(
        errors=[
            FieldProblem(
                "cursor", "bad-cursor", "This cursor is not one of ours. Start again without it."
            )
        ]
    )
