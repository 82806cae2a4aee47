"""Reads JSON whose depth was counted before: parsers call themselves for each level."""

import json
import re
from typing import Any

MAX_DEPTH = 64  # Levels of objects and lists. A Patient has about eight.
_BRACKET_OR_TEXT = re.compile(r'[\[{\]}]|"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)


class NestedTooDeeply(ValueError):
    """The JSON has more levels than MAX_DEPTH."""


def load_json(text: str) -> Any:
    """Returns what the text holds; ValueError if it is no JSON, or is nested too deeply."""
    if text.count("[") + text.count("{") > MAX_DEPTH and _depth(text) > MAX_DEPTH:
        raise NestedTooDeeply
    return json.loads(text)


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
