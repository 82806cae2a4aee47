"""Characters in a FHIR resource that are no text: NUL, and half of a surrogate pair.

JSON can write both, and PostgreSQL holds neither. NULs around a text only fill it up, as programs
with fields of a fixed width do, and are taken off. Within a text they stand where something was
lost: nobody knows what, and so its element is left out, or its row is refused.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from portal.imports.readers.fhir_parts import Part
from portal.imports.readers.rows import Problem

_MAY_BE_WRITTEN = re.compile(r"\\u(?:0000|d[89a-f])", re.IGNORECASE)
_NO_TEXT = re.compile("[\0\ud800-\udfff]")
# What says who the patient is, and whether this is one: a row is not imported without it.
_NEEDED = ("resourceType", "id", "meta", "implicitRules", "modifierExtension", "link", "active")
_NEEDED_BEGINNINGS = ("name", "birthDate", "deceased")

_REFUSED = (
    "The text holds a NUL or half of a character, so a part of it was lost. Correct it at the "
    "source."
)
_LEFT_OUT = "Left out, since its text holds a NUL or half of a character."
_FILLED_UP = "NUL characters around this text were taken off."


@dataclass
class CleanedResource:
    """A resource without such characters, what is wrong with it, and what it lost."""

    resource: Part
    problems: list[Problem] = field(default_factory=list)
    left_out: list[Problem] = field(default_factory=list)


def clean_texts(resource: Part, written: str) -> CleanedResource:
    """Returns the resource as it can be stored; `written` is its JSON."""
    cleaned = CleanedResource(resource)
    if "\\u" not in written or not _MAY_BE_WRITTEN.search(written):
        return cleaned
    cleaned.resource = {}
    for name, value in resource.items():
        trimmed = _without_filling(value)
        damaged = list(_places_without_text({name: trimmed}))
        for place in _places_without_text({name: value}):
            if place not in damaged:
                cleaned.left_out.append(Problem(place, "", _FILLED_UP))
        if damaged and _is_needed(name):
            cleaned.problems += [Problem(place, "", _REFUSED) for place in damaged]
            continue
        cleaned.left_out += [Problem(place, "", _LEFT_OUT) for place in damaged]
        if not damaged:
            cleaned.resource[name] = trimmed
        elif isinstance(trimmed, list):
            kept = [item for item in trimmed if not any(_places_without_text(item))]
            cleaned.resource[name] = kept
    return cleaned


def _is_needed(name: str) -> bool:
    return name in _NEEDED or name.lstrip("_").startswith(_NEEDED_BEGINNINGS)


def _without_filling(value: Any) -> Any:
    """Returns the value with all its texts without NULs before and behind them."""
    if isinstance(value, str):
        return value.strip("\0")
    if isinstance(value, list):
        return [_without_filling(item) for item in value]
    if isinstance(value, dict):
        return {name: _without_filling(item) for name, item in value.items()}
    return value


def _places_without_text(value: Any, place: str = "") -> Iterator[str]:
    """Yields where a text or the name of a member has such a character: `name[0].family`."""
    if isinstance(value, str) and _NO_TEXT.search(value):
        yield place
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _places_without_text(item, f"{place}[{index}]")
    elif isinstance(value, dict):
        for name, item in value.items():
            shown = _NO_TEXT.sub("\N{REPLACEMENT CHARACTER}", name)
            inner = f"{place}.{shown}" if place else shown
            if shown != name:
                yield inner
            yield from _places_without_text(item, inner)
