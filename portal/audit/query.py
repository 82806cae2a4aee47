"""A question to the audit, and the rows of both logs that answer it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from portal.audit.actions import CHANGE_NAMES
from portal.pagination import decode_cursor, row_id
from portal.patients.audit import ACCESS_ACTIONS
from portal.patients.models import AccessRecord, PatientEvent

SYSTEM = 0  # The person of a change by a command or by the database itself.
SQL = "sql"  # The channel of a change that was made past the portal, in the database.
READ, WRITE = "r", "w"  # Of one moment, writes come first in the newest-first order.


@dataclass(frozen=True)
class AuditQuery:
    """Filters of the audit; an empty one matches all. `until` is exclusive, `kind` a constant."""

    person: int | None = None
    patient: UUID | None = None
    action: str = ""
    channel: str = ""
    kind: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def includes(self, kind: str) -> bool:
        """Returns whether rows of this kind can match at all."""
        if self.kind not in ("", kind):
            return False
        if kind == READ:
            return self.action not in CHANGE_NAMES and self.channel != SQL
        return self.action not in ACCESS_ACTIONS


def reads_matching(query: AuditQuery, *, after: str) -> QuerySet[AccessRecord]:
    """Returns the access records after the cursor, newest first."""
    reads = AccessRecord.objects.filter(_between("at", query), _after(after, READ, "at", "id"))
    if query.person is not None:
        reads = reads.filter(user=query.person or None)
    if query.patient:
        reads = reads.filter(patient_ids__contains=[query.patient])
    if query.action:
        reads = reads.filter(action=query.action)
    if query.channel:
        reads = reads.filter(door=query.channel)
    return reads.order_by("-at", "-id")


def writes_matching(query: AuditQuery, *, after: str) -> QuerySet[PatientEvent]:
    """Returns the rows of the patients' log after the cursor, newest first."""
    when = "pgh_created_at"
    writes = PatientEvent.objects.filter(
        _between(when, query), _after(after, WRITE, when, "pgh_id")
    )
    if query.person == SYSTEM:
        writes = writes.filter(_context_without("user"))
    elif query.person:
        writes = writes.filter(pgh_context__user=query.person)
    if query.patient:
        writes = writes.filter(pgh_obj_id=query.patient)
    if query.action:
        writes = writes.filter(pgh_label=query.action)
    if query.channel == SQL:
        writes = writes.filter(_context_without("source"))
    elif query.channel:
        writes = writes.filter(pgh_context__source=query.channel)
    return writes.order_by(f"-{when}", "-pgh_id")


def _context_without(key: str) -> Q:
    """Matches rows whose context is missing, lacks the key, or holds null."""
    lacks_key = Q(**{f"pgh_context__{key}__isnull": True})
    holds_null = Q(**{f"pgh_context__{key}": None})
    return Q(pgh_context=None) | lacks_key | holds_null


def _between(column: str, query: AuditQuery) -> Q:
    bounds: dict[str, Any] = {f"{column}__gte": query.since, f"{column}__lt": query.until}
    return Q(**{lookup: moment for lookup, moment in bounds.items() if moment})


def _after(after: str, kind: str, when: str, key: str) -> Q:
    """Matches rows of this kind that come after the cursor's row.

    They are earlier, or of the same moment and after it in the order of kind and id.
    """
    if not after:
        return Q()
    moment, (last_kind, last_id) = decode_cursor(after, key=_entry_key)
    at_once = Q(**{when: moment})
    if kind == last_kind:
        at_once &= Q(**{f"{key}__lt": last_id})
    if kind > last_kind:  # The page before showed all of them.
        at_once = Q(pk__in=[])
    return Q(**{f"{when}__lte": moment}) & (Q(**{f"{when}__lt": moment}) | at_once)


def _entry_key(text: str) -> tuple[str, int]:
    """Reads `r12` or `w12`: the log that a row stands in, and its id. ValueError."""
    kind = text[:1]
    if kind not in (READ, WRITE):
        raise ValueError("neither log has this key")
    return kind, row_id(text[1:])
