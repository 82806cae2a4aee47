"""What a whole column says: its codes, and the order of day and month that its dates prove."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from portal.imports.readers.cells import clean_cell
from portal.imports.readers.values import value_key
from portal.patients.dates import (
    ISO_DAY,
    DateOrder,
    TypedDate,
    join_parts,
    parse_date,
    proven_order,
)
from portal.patients.fields import ENTERED_FIELDS, Kind

DATES = {field.name for field in ENTERED_FIELDS if field.kind == Kind.DATE}
MAX_FACT_VALUES = 12  # Different values of a column that a person is asked about.
MAX_VALUES = 200  # Different values of a column that are looked at.
MAX_VALUE_CHARACTERS = 30
LAST_DAY_OF_MONTH = 31
_SHORT_DATE = re.compile(r"(\d\d)[-/.](\d{1,2})[-/.](\d\d)$")  # 84-03-15, or 15-03-84.
MIXED_ORDERS = (
    "This date reads both ways, and the file has dates of both orders. Write it as 1984-03-15."
)


@dataclass
class ColumnSurvey:
    """What the values of one column have shown so far."""

    values: dict[str, str] = field(default_factory=dict)  # As typed, by key.
    orders: set[str] = field(default_factory=set)
    short_years: set[str] = field(default_factory=set)
    reads_both_ways: bool = False

    def add_value(self, text: str) -> None:
        """Takes a value into account; long ones are no codes."""
        if text and len(text) <= MAX_VALUE_CHARACTERS and len(self.values) < MAX_VALUES:
            self.values.setdefault(value_key(text), text)

    def add_date(self, text: str) -> None:
        """Takes a date into account."""
        if ISO_DAY.match(text):  # It proves nothing, and is read in one way.
            return
        if found := _SHORT_DATE.match(text):
            before, _, behind = map(int, found.groups())
            if before > LAST_DAY_OF_MONTH or behind > LAST_DAY_OF_MONTH:
                self.short_years.add("first" if before > LAST_DAY_OF_MONTH else "last")
        if order := proven_order(text):
            self.orders.add(order)
        elif typed := _parse(text, DateOrder.DAY_FIRST):
            self.reads_both_ways = self.reads_both_ways or typed.exchanged is not None


class Cells(Protocol):
    """A record of a table: its cells, and what is wrong with it as a whole."""

    @property
    def cells(self) -> list[str]: ...

    @property
    def fault(self) -> str: ...


def survey_columns(
    records: Iterable[Cells],
    fields: Mapping[int, str],
    surveys: Mapping[str, ColumnSurvey],
    *,
    all_kinds: bool = False,
) -> None:
    """Adds the values of the columns at these positions to the surveys of their fields."""
    seen: dict[int, set[str]] = {index: set() for index in fields}
    for record in records:
        if record.fault:
            continue
        for index, name in fields.items():
            if index >= len(record.cells):
                continue
            cell, same = record.cells[index], seen[index]
            # A day as 1984-03-15 proves nothing about others.
            if cell in same or (not all_kinds and name in DATES and ISO_DAY.match(cell)):
                continue
            if len(same) < MAX_VALUES and len(cell) <= MAX_VALUE_CHARACTERS:
                same.add(cell)
            text = clean_cell(name, cell)
            if all_kinds or name in DATES:
                surveys[name].add_date(text)
            if all_kinds or name not in DATES:
                surveys[name].add_value(text)


def facts_of(survey: ColumnSurvey) -> dict[str, Any]:
    """Returns what a person is asked about: `values` if they are few, and `dates`."""
    found = list(survey.values.values())
    dates = sorted(survey.orders) or (["both"] if survey.reads_both_ways else [])
    return {"values": found if len(found) <= MAX_FACT_VALUES else [], "dates": dates}


@dataclass(frozen=True)
class DateRule:
    """How the dates of a file are read.

    `order` is that of day and month, "" if the file proves both. `short_year` is where the year of
    84-03-15 stands: `first`, `last`, or "" if the file proves both.
    """

    order: str
    short_year: str = "last"

    def read(self, text: str) -> str | None:
        """Returns the day that the text names, as `1984-03-04`.

        Other texts stay as they are. None if the day reads in several ways and nothing decides.
        """
        if ISO_DAY.match(text):
            return text
        if self.short_year != "last" and (found := _SHORT_DATE.match(text)):
            year, month, day = found.groups()
            if int(year) > LAST_DAY_OF_MONTH or self.short_year:
                return _year_first(year, month, day) or text
            if int(day) <= LAST_DAY_OF_MONTH:
                return None
        typed = _parse(text, DateOrder(self.order or DateOrder.DAY_FIRST))
        if typed is None or typed.precision != "day":
            return text
        return None if typed.exchanged and not self.order else typed.first.isoformat()


def choose_rule(surveys: Iterable[ColumnSurvey], order: str) -> DateRule:
    """Returns the rule that the columns prove, with this order of day and month if they do not."""
    surveys = list(surveys)
    orders = {order for survey in surveys for order in survey.orders}
    if orders:
        order = next(iter(orders)) if len(orders) == 1 else ""
    places = {place for survey in surveys for place in survey.short_years}
    if not places:
        return DateRule(order)
    return DateRule(order, next(iter(places)) if len(places) == 1 else "")


def _year_first(year: str, month: str, day: str) -> str:
    try:
        return join_parts(day, month, year).isoformat()
    except ValueError:
        return ""


def _parse(text: str, order: DateOrder) -> TypedDate | None:
    """Returns the date; None for a text that is none, which the check of the row refuses."""
    try:
        return parse_date(text, order=order)
    except ValueError:
        return None
