"""Reads JSON whose depth was counted before: parsers call themselves for each level.

An object that has a member twice is marked: which of the two values counts, nobody knows.
"""

import json
import re
from typing import Any

REPEATED = "portal:repeated-member"  # The member that marks such an object.
MAX_DEPTH = 64  # Levels of objects and lists. A Patient has about eight.
_BRACKET_OR_TEXT = re.compile(r'[\[{\]}]|"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)


class NestedTooDeeply(ValueError):
    """The JSON has more levels than MAX_DEPTH."""


def load_json(text: str) -> Any:
    """Returns what the text holds; ValueError if it is no JSON, or is nested too deeply."""
    if text.count("[") + text.count("{") > MAX_DEPTH and _depth(text) > MAX_DEPTH:
        raise NestedTooDeeply
    return json.loads(text, object_pairs_hook=_object)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        members[REPEATED] = True
    return members


def has_repeated_member(value: Any) -> bool:
    """Tells whether an object in this value has a member twice."""
    if isinstance(value, dict):
        return REPEATED in value or any(has_repeated_member(part) for part in value.values())
    return isinstance(value, list) and any(has_repeated_member(part) for part in value)


def _depth(text: str) -> int:
    depth = deepest = 0
    for match in _BRACKET_OR_TEXT.finditer(text):
        first = match[0][0]
        if first in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif first in "]}":
            depth -= 1
    return deepest
