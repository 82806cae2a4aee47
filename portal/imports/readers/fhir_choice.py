"""Chooses the right one of several names, phones or addresses: by time, rank and use."""

import re
from collections.abc import Sequence
from datetime import date

from django.utils import timezone

from portal.imports.readers.fhir_parts import Part
from portal.patients.models import FIRST_DAY

_LAST_RANK = 10**6
# FHIR's date: a year, a month or a day. Whatever else stands there says nothing about time.
_DATE = re.compile(r"\d{4}(-\d\d(-\d\d)?)?")


def in_order(items: Sequence[Part], uses: Sequence[str | None]) -> list[Part]:
    """Returns the items, the best first.

    Present ones come before ended ones; then `rank` decides, then the place of `use` in `uses`.
    """
    if len(items) < 2:
        return list(items)
    return sorted(items, key=lambda item: (not is_present(item), _rank(item), _place(item, uses)))


def is_present(item: Part) -> bool:
    """Tells whether the item is in use today: not marked as old, not ended, and begun."""
    if not isinstance(item.get("period"), dict):
        return item.get("use") != "old"
    today = timezone.localdate().isoformat()
    start, end = (_day_text(item, name) for name in ("start", "end"))
    has_ended = bool(end) and end < today[: len(end)]
    has_begun = start <= today[: len(start)]
    return item.get("use") != "old" and has_begun and not has_ended


def period_of(item: Part) -> dict[str, str]:
    """Returns the first and last day of the item's period, as far as it names days that exist."""
    days: dict[str, str] = {}
    if not isinstance(item.get("period"), dict):
        return days
    for name, key in (("start", "valid_from"), ("end", "valid_to")):
        if day := _whole_day(_day_text(item, name), is_end=name == "end"):
            days[key] = day
    if days.get("valid_to", "9999") < days.get("valid_from", ""):
        return {}
    return days


def is_period_lost(item: Part) -> bool:
    """Tells whether the item has days that `period_of` cannot return."""
    period = item.get("period")
    if period is None:
        return False
    named = [period.get(name) for name in ("start", "end")] if isinstance(period, dict) else [1]
    return sum(bool(text) for text in named) > len(period_of(item))


def _day_text(item: Part, name: str) -> str:
    period = item.get("period")
    text = period.get(name) if isinstance(period, dict) else ""
    day = text.partition("T")[0].strip() if isinstance(text, str) else ""
    return day if _DATE.fullmatch(day) else ""


def _whole_day(text: str, *, is_end: bool) -> str:
    """Returns a day for a year or a month: its last one for the end of a period.

    "" for a day that does not exist, and for one before all records: 0001-01-01 is no day.
    """
    if len(text) == 4:
        text = f"{text}-12" if is_end else f"{text}-01"
    tries = [text] if len(text) != 7 else [f"{text}-{day}" for day in _last_days(is_end=is_end)]
    for day in tries:
        try:
            found = date.fromisoformat(day).isoformat()
        except ValueError:
            continue
        return found if found >= FIRST_DAY else ""
    return ""


def _last_days(*, is_end: bool) -> tuple[str, ...]:
    return ("31", "30", "29", "28") if is_end else ("01",)


def _rank(item: Part) -> int:
    rank = item.get("rank")
    is_number = isinstance(rank, int) and not isinstance(rank, bool)
    return rank if is_number and rank and rank > 0 else _LAST_RANK


def _place(item: Part, uses: Sequence[str | None]) -> int:
    use = item.get("use")
    return uses.index(use) if use in uses else len(uses)
