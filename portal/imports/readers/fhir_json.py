"""Reads JSON of a bounded depth, since code that walks through it calls itself for each level.

And finds objects that have a member twice: which of the two values counts, nobody knows.
"""

import json
import re
from typing import Any

REPEATED = "portal:repeated-member"  # The member that marks such an object.
MAX_DEPTH = 64  # Levels of objects and lists. A Patient has about eight.
_TEXT_END_AND_COLON = re.compile(r'"\s*+:')
_NAME_OR_TEXT = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"(\s*+:)?', re.DOTALL)


class NestedTooDeeply(ValueError):
    """The JSON has more levels than MAX_DEPTH."""


def load_json(text: str, *, marks_repeated: bool = False) -> Any:
    """Returns what the text holds; ValueError if it is no JSON, or is nested too deeply.

    With `marks_repeated`, which is slow, an object that has a member twice gets the member
    REPEATED.
    """
    try:
        value = json.loads(text, object_pairs_hook=_marked_object if marks_repeated else None)
    except RecursionError as error:
        raise NestedTooDeeply from error
    if text.count("[") + text.count("{") > MAX_DEPTH and _is_deeper(value, MAX_DEPTH):
        raise NestedTooDeeply
    return value


def has_repeated_member(text: str, value: Any) -> bool:
    """Tells whether an object of this text has a member twice; `value` is what the text holds."""
    members = _count_members(value)
    # Each member is named at least once, and behind no more texts there is a colon.
    if f'"{REPEATED}"' not in text and len(_TEXT_END_AND_COLON.findall(text)) == members:
        return False
    named = sum(match[1] is not None for match in _NAME_OR_TEXT.finditer(text))
    return named > members or f'"{REPEATED}"' in text


def _marked_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        members[REPEATED] = True
    return members


def _count_members(value: dict[str, Any] | list[Any]) -> int:
    """Returns how many members the objects have, without a call for each text."""
    count, parts = (len(value), value.values()) if isinstance(value, dict) else (0, value)
    for part in parts:
        if isinstance(part, dict | list):
            count += _count_members(part)
    return count


def _is_deeper(value: Any, levels: int) -> bool:
    """Tells whether the value has objects and lists within each other on more levels than these."""
    if isinstance(value, dict):
        return not levels or any(_is_deeper(part, levels - 1) for part in value.values())
    return isinstance(value, list) and (
        not levels or any(_is_deeper(part, levels - 1) for part in value)
    )
