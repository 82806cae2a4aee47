"""Identifiers as one cell, after FHIR's token: `ssn|999123456; https://example.org/ids|42`."""

import re
from collections.abc import Iterable

_PART = re.compile(r"((?:[^\\;|]|\\.)*)([;|]|$)", re.DOTALL)


def format_cell(identifiers: Iterable[tuple[str, str]]) -> str:
    """Returns the cell of (system, value) pairs; a backslash escapes `;`, `|` and itself."""
    return "; ".join(f"{_escape(system)}|{_escape(value)}" for system, value in identifiers)


def parse_cell(cell: str) -> list[dict[str, str]]:
    """Returns the identifiers of a cell; ValueError with words for the person who typed it."""
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
    if len(parts) != 2 or not all(parts):
        raise ValueError("Write identifiers as system|value, parted by semicolons.")
    return {"system": parts[0], "value": parts[1]}


def _escape(text: str) -> str:
    return re.sub(r"([\\;|])", r"\\\1", text)
