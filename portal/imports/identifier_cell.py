"""Identifiers as one cell: `ssn|999123456; https://example.org/ids|42`, after FHIR's token `system|value`."""

import re
from collections.abc import Iterable

_SPLIT = re.compile(r"((?:[^\\;|]|\\.)*)([;|]|$)", re.DOTALL)


def format_cell(identifiers: Iterable[tuple[str, str]]) -> str:
    """The cell; `;`, `|` and backslashes inside a system or a value are escaped by a backslash."""
    return "; ".join(f"{_escaped(system)}|{_escaped(value)}" for system, value in identifiers)


def parse_cell(cell: str) -> list[dict[str, str]]:
    """The identifiers of a cell; ValueError with words for the person who typed it."""
    found, parts = [], []
    for match in _SPLIT.finditer(cell):
        parts.append(re.sub(r"\\(.)", r"\1", match.group(1), flags=re.DOTALL).strip())
        if match.group(2) == "|":
            continue
        if any(parts):
            found.append(_pair(parts))
        parts = []
    return found


def _pair(parts: list[str]) -> dict[str, str]:
    if len(parts) != 2 or not all(parts):
        raise ValueError("Write identifiers as system|value, parted by semicolons.")
    return {"system": parts[0], "value": parts[1]}


def _escaped(text: str) -> str:
    return re.sub(r"([\\;|])", r"\\\1", text)
