"""Identifiers as one cell, after FHIR's token: `ssn|999123456; https://example.org/ids|42`.

The days between which a number is valid stand behind it: `insurance|I1|2018-01-01|2019-01-01`, or
`insurance|I1||2019-01-01` where only its end is known.
"""

import re
from collections.abc import Iterable, Sequence

_PART = re.compile(r"((?:[^\\;|]|\\.)*)([;|]|$)", re.DOTALL)
_SPECIAL = re.compile(r"([\\;|])")
_NAMES = ("system", "value", "valid_from", "valid_to")


def format_cell(identifiers: Iterable[Sequence[str]]) -> str:
    """Returns the cell of these identifiers: system, value, first and last day, or the first two.

    A backslash escapes `;`, `|` and itself.
    """
    return "; ".join("|".join(map(_escape, _without_end(parts))) for parts in identifiers)


def _without_end(parts: Sequence[str]) -> list[str]:
    """Returns the parts without blank ones behind the last."""
    filled = [number for number, part in enumerate(parts, start=1) if part]
    return list(parts[: max(filled, default=0)])


def parse_cell(cell: str) -> list[dict[str, str]]:
    """Returns the identifiers of a cell; ValueError with words for the person who typed it."""
    if not cell:
        return []
    identifiers, parts = [], []
    for match in _PART.finditer(cell):
        parts.append(re.sub(r"\\(.)", r"\1", match.group(1), flags=re.DOTALL).strip())
        if match.group(2) == "|":
            continue
        if any(parts):
            identifiers.append(_identifier(parts))
        parts = []
    return identifiers


def _identifier(parts: list[str]) -> dict[str, str]:
    if not 2 <= len(parts) <= len(_NAMES) or not all(parts[:2]):
        raise ValueError(
            "Write identifiers as system|value, parted by semicolons. The first and the last valid "
            "day may follow: system|value|2018-01-01|2019-01-01."
        )
    named = dict(zip(_NAMES, parts, strict=False))
    return {name: text for name, text in named.items() if text}


def _escape(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)
