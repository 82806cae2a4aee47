"""The shape of a body, checked before anything reads it: the type of each member and its bound."""

from collections.abc import Iterator, Mapping
from typing import Any

from rest_framework import serializers

from portal.errors import FieldProblem, MemberProblem, escape_name
from portal.patients.entered_identifiers import MOST_IDENTIFIERS
from portal.patients.serializers.members import LONGEST_DAY, Identifier, Member, fields_of

_NOT_A_LIST = 'Give a list of {"system": …, "value": …}.'


def shape_problems(
    body: Mapping[str, Any], fields: Mapping[str, Member]
) -> dict[str, list[FieldProblem]]:
    """Returns the problems of each known member whose type or bound is wrong, by its name."""
    problems: dict[str, list[FieldProblem]] = {}
    for name, value in body.items():
        if name == "identifiers":
            found = list(_problems_with_identifiers(value))
        elif name in fields:
            found = _problems_with_text(fields[name], value, at=name)
        else:
            continue
        if found:
            problems[name] = found
    return problems


def _problems_with_text(field: Member, value: Any, *, at: str) -> list[FieldProblem]:
    if value is None:
        return []  # It empties the field, or validation refuses it.
    if not isinstance(value, str):
        return [MemberProblem(at, "not-text", "Give text.")]
    if (longest := longest_text_of(field)) < len(value):
        message = f"Use at most {longest} characters; this has {len(value)}."
        return [MemberProblem(at, "too-long", message)]
    return []


def longest_text_of(field: Member) -> int:
    """Returns how many characters a member takes, however they are typed."""
    if isinstance(field, serializers.DateField | serializers.ChoiceField):
        return LONGEST_DAY
    longest: int = getattr(field, "max_length", None) or 0
    return longest


def _problems_with_identifiers(identifiers: Any) -> Iterator[FieldProblem]:
    if not isinstance(identifiers, list):
        yield MemberProblem("identifiers", "not-a-list", _NOT_A_LIST)
        return
    if len(identifiers) > MOST_IDENTIFIERS:
        message = f"Give at most {MOST_IDENTIFIERS} identifiers; these are {len(identifiers)}."
        yield MemberProblem("identifiers", "too-many", message)
        return
    fields = fields_of(Identifier)
    for index, item in enumerate(identifiers):
        at = f"identifiers/{index}"
        if not isinstance(item, Mapping):
            yield MemberProblem(at, "not-an-object", _NOT_A_LIST)
            continue
        for name, value in item.items():
            if name not in fields:
                pointer = f"{at}/{escape_name(name)}"
                yield MemberProblem(pointer, "unknown-field", "There is no such field.")
            else:
                text = str(value) if name == "value" and _is_number(value) else value
                yield from _problems_with_text(fields[name], text, at=f"{at}/{name}")


def _is_number(value: Any) -> bool:
    """Returns whether a client sent an identifier as a whole number, which loses no digit."""
    return isinstance(value, int) and not isinstance(value, bool)
