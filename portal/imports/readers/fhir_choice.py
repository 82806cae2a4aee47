"""Chooses the right one of several names, phones or addresses: by time, rank and use."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.utils import timezone

Part = dict[str, Any]
_LAST_RANK = 10**6


def in_order(items: Sequence[Part], uses: Sequence[str | None]) -> list[Part]:
    """Returns the items, the best first.

    Present ones come before ended ones; then `rank` decides, then the place of `use` in `uses`.
    """
    return sorted(items, key=lambda item: (not is_present(item), _rank(item), _place(item, uses)))


def is_present(item: Part) -> bool:
    """Tells whether the item is in use today: not marked as old, not ended, and begun."""
    today = timezone.localdate().isoformat()
    start, end = (_day_text(item, name) for name in ("start", "end"))
    has_ended = bool(end) and end < today[: len(end)]
    has_begun = start <= today[: len(start)]
    return item.get("use") != "old" and has_begun and not has_ended


def period_of(item: Part) -> dict[str, str]:
    """Returns the first and last day of the item's period, as far as it names them."""
    days = {}
    for name, key in (("start", "valid_from"), ("end", "valid_to")):
        if day := _whole_day(_day_text(item, name), is_end=name == "end"):
            days[key] = day
    return days


def _day_text(item: Part, name: str) -> str:
    period = item.get("period")
    text = period.get(name) if isinstance(period, dict) else ""
    return text.partition("T")[0].strip() if isinstance(text, str) else ""


def _whole_day(text: str, *, is_end: bool) -> str:
    """Returns a day for a year or a month: its last one for the end of a period."""
    if len(text) == 4:
        return f"{text}-12-31" if is_end else f"{text}-01-01"
    if len(text) == 7 and not is_end:
        return f"{text}-01"
    if len(text) != 7:
        return text
    for day in ("31", "30", "29", "28"):
        try:
            return date.fromisoformat(f"{text}-{day}").isoformat()
        except ValueError:
            continue
    return text


def _rank(item: Part) -> int:
    rank = item.get("rank")
    return rank if isinstance(rank, int) and rank > 0 else _LAST_RANK


def _place(item: Part, uses: Sequence[str | None]) -> int:
    use = item.get("use")
    return uses.index(use) if use in uses else len(uses)
