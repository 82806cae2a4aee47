"""What is asked of the trail, and the rows of both logs that answer it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from portal.audit.actions import WRITES
from portal.pagination import decode_cursor, row_id
from portal.patients.audit import READS
from portal.patients.models import AccessRecord, PatientEvent

SYSTEM = 0  # Stands for no person: a command, or the database itself.
SQL = "sql"  # Stands for no door: somebody wrote past all of them.
READ, WRITE = "r", "w"  # In this order where both are of one moment.


@dataclass(frozen=True)
class Asked:
    """Narrows the trail; empty means any. `until` itself is not in it. `kind` is READ or WRITE."""

    person: int | None = None
    patient: UUID | None = None
    action: str = ""
    door: str = ""
    kind: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def wants(self, kind: str) -> bool:
        """Whether rows of this kind can answer at all."""
        others = WRITES if kind == READ else READS
        return (
            self.kind in ("", kind)
            and self.action not in others
            and not (kind == READ and self.door == SQL)
        )


def reads_asked_for(asked: Asked, after: str) -> QuerySet[AccessRecord]:
    """Newest first, from the cursor on."""
    found = AccessRecord.objects.filter(_bounds("at", asked), _behind(after, READ, "at", "id"))
    if asked.person is not None:
        found = found.filter(user=asked.person or None)
    if asked.patient:
        found = found.filter(patient_ids__contains=[asked.patient])
    exact = {"action": asked.action, "door": asked.door}
    return found.filter(**{name: value for name, value in exact.items() if value}).order_by(
        "-at", "-id"
    )


def writes_asked_for(asked: Asked, after: str) -> QuerySet[PatientEvent]:
    """Newest first, from the cursor on."""
    when = "pgh_created_at"
    found = PatientEvent.objects.filter(_bounds(when, asked), _behind(after, WRITE, when, "pgh_id"))
    if asked.person is not None:
        found = found.filter(
            Q(pgh_context__user=asked.person) if asked.person else _without("user")
        )
    if asked.patient:
        found = found.filter(pgh_obj_id=asked.patient)
    if asked.action:
        found = found.filter(pgh_label=asked.action)
    if asked.door:
        found = found.filter(
            _without("source") if asked.door == SQL else Q(pgh_context__source=asked.door)
        )
    return found.order_by(f"-{when}", "-pgh_id")


def _without(key: str) -> Q:
    """Rows whose context does not say this: it is empty, lacks the key, or says null."""
    return (
        Q(pgh_context=None)
        | Q(**{f"pgh_context__{key}__isnull": True})
        | Q(**{f"pgh_context__{key}": None})
    )


def _bounds(when: str, asked: Asked) -> Q:
    bounds: dict[str, Any] = {f"{when}__gte": asked.since, f"{when}__lt": asked.until}
    return Q(**{name: value for name, value in bounds.items() if value})


def _behind(after: str, kind: str, when: str, key: str) -> Q:
    """Rows of this kind that come after the row which the cursor names: earlier, or of its moment and behind it."""
    if not after:
        return Q()
    moment, (last_kind, last_id) = decode_cursor(after, key=_entry_key)
    at_once = Q(**{when: moment})
    if kind == last_kind:
        at_once &= Q(**{f"{key}__lt": last_id})
    is_beside = kind <= last_kind
    return Q(**{f"{when}__lte": moment}) & (
        Q(**{f"{when}__lt": moment}) | (at_once if is_beside else Q(pk__in=[]))
    )


def _entry_key(text: str) -> tuple[str, int]:
    """Reads `r12` or `w12`: the log that a row stands in, and its id. ValueError."""
    kind = text[:1]
    if kind not in (READ, WRITE):
        raise ValueError("neither log has this key")
    return kind, row_id(text[1:])
