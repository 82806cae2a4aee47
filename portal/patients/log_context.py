"""The context of a change in the log: who made it, through which channel, and as part of what.

Our services write it. SQL can set it too, to anything; what does not have the form of ours is read
as if it were not there, so that a row of SQL stops no page, no scan and no relay.
"""

from typing import Any
from uuid import UUID

from django.db.models.fields.json import KeyTransform
from pghistory.utils import JSONField

LARGEST_ID = 2**63 - 1


class ContextField(JSONField):
    """Reads a context by `clean_context`; it is stored, and filtered by, as it is."""

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        found = super().from_db_value(value, expression, connection)
        is_whole = found is not None and not isinstance(expression, KeyTransform)
        return clean_context(found) if is_whole else found

    def deconstruct(self) -> Any:
        name, _, args, kwargs = super().deconstruct()
        return name, "pghistory.utils.JSONField", args, kwargs  # No change of the table.


def clean_context(found: Any) -> dict[str, Any]:
    """Returns the members that have the form of ours; members of other names stay."""
    if not isinstance(found, dict):
        return {}
    return {
        name: member
        for name, member in found.items()
        if member is None or name not in _MEMBERS or _MEMBERS[name](member)
    }


def _is_number(member: Any) -> bool:
    return type(member) is int and 0 <= member <= LARGEST_ID


def _is_text(member: Any) -> bool:
    return isinstance(member, str)


def _is_patient(member: Any) -> bool:
    try:
        return isinstance(member, str) and bool(UUID(member))
    except ValueError:
        return False


def _are_patients(member: Any) -> bool:
    return isinstance(member, list) and all(map(_is_patient, member))


def _are_texts(member: Any) -> bool:
    return isinstance(member, list) and all(map(_is_text, member))


def _is_merge(member: Any) -> bool:
    """Tells whether it names the other record; a merge without that tells nothing."""
    return (
        isinstance(member, dict)
        and not {"duplicate", "survivor"}.isdisjoint(member)
        and all(check(member[name]) for name, check in _MERGE_MEMBERS.items() if name in member)
    )


_MERGE_MEMBERS = {
    "duplicate": _is_patient,
    "survivor": _is_patient,
    "survivor_version": _is_number,
    "reason": _is_text,
    "taken": _are_texts,
}
_MEMBERS = {
    "user": _is_number,
    "source": _is_text,
    "request_id": _is_text,
    "route": _is_text,
    "duplicate_reason": _is_text,
    "similar": _are_patients,
    "import_job": _is_text,
    "import_undo": _is_text,
    "merge": _is_merge,
}
