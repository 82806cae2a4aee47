"""Encodes a row of the event log as a Kafka message; the contract is protos/patient/events/v1."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from portal.events.log_reader import LogRow
from portal.patients.fields import RECORDED
from portal.patients.models import Patient, Status
from portal.patients.models.log import DELETED, INSERTED
from portal.stored_dates import known_date
from protos.patient.events.v1 import patient_event_pb2

# Bytes around a message in Kafka's format, each number in its longest form.
# https://kafka.apache.org/documentation/#recordbatch
_BATCH_BYTES, _RECORD_BYTES, _HEADER_BYTES = 61, 36, 10
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TRACE_ID = re.compile(r"[0-9a-f]{32}")
_VERSION = ("ce_specversion", b"1.0")
_SOURCE = ("ce_source", b"/patient-portal")
_CONTENT = ("content-type", b"application/protobuf")
_STATUS_EVENTS = {
    (Status.ACTIVE, Status.ARCHIVED): "PATIENT_ARCHIVED",
    (Status.ARCHIVED, Status.ACTIVE): "PATIENT_RESTORED",
    (Status.ACTIVE, Status.MERGED): "PATIENT_MERGED",
    (Status.ARCHIVED, Status.MERGED): "PATIENT_MERGED",
    (Status.MERGED, Status.ACTIVE): "PATIENT_UNMERGED",
    (Status.MERGED, Status.ARCHIVED): "PATIENT_UNMERGED",
}


@dataclass(frozen=True)
class Message:
    """A Kafka record: the key keeps a patient's events in one partition, headers name no person."""

    event_id: int
    patient_id: str
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]

    @cached_property
    def size(self) -> int:
        """The most bytes that it takes up on the topic, which it does when alone in its batch."""
        headers = sum(len(name) + len(value) + _HEADER_BYTES for name, value in self.headers)
        return _BATCH_BYTES + _RECORD_BYTES + len(self.key) + len(self.value) + headers


def encode(row: LogRow, previous: LogRow | None, *, include_contact: bool) -> Message:
    """Returns the message for a log row.

    `previous` is the patient's row of the version before, or None for the first version. A date
    that cannot be goes as one that is not known: the log keeps it for ever, and the event of its
    correction follows.
    Raises ValueError or TypeError where the row does not fit the contract.
    """
    kind = event_type(row, previous)
    context = row.pgh_context or {}
    patient_id = str(row.pgh_obj_id)
    birth, registered_on = known_date(row.date_of_birth), known_date(row.registered_on)
    event = patient_event_pb2.PatientEvent(
        patient_id=patient_id,
        name=full_name(row) if include_contact else "",
        email=row.email if include_contact else "",
        event_type=kind,
        event_id=row.pgh_id,
        version=row.version + 1 if row.pgh_label == DELETED else row.version,
        source=_channel(row, context),
        sex=row.sex,
        birth_year=birth.year if birth else 0,
        city=row.city,
        region=row.region,
        postal_area=postal_area(row.postal_code, row.country),
        country=row.country,
        registered_on=registered_on.isoformat() if registered_on else "",
        changed_fields=changed_fields(row, previous),
        actor_id=str(context.get("user") or ""),
        status="deleted" if row.pgh_label == DELETED else row.status,
        registered_through=row.source,
        merged_into=str(row.merged_into_id or ""),
    )
    since = row.pgh_created_at - _EPOCH
    event.occurred_at.seconds = since.days * 86_400 + since.seconds
    event.occurred_at.nanos = since.microseconds * 1_000
    headers = _headers(
        kind, row.pgh_id, patient_id, row.pgh_created_at, str(context.get("request_id") or "")
    )
    return Message(row.pgh_id, patient_id, patient_id.encode(), event.SerializeToString(), headers)


def event_type(row: LogRow, previous: LogRow | None) -> str:
    """Returns what happened, as the contract names it."""
    if row.pgh_label == INSERTED:
        return "PATIENT_CREATED"
    if row.pgh_label == DELETED:
        return "PATIENT_DELETED"
    before = previous.status if previous else row.status
    return _STATUS_EVENTS.get((before, row.status), "PATIENT_UPDATED")


def changed_fields(row: LogRow, previous: LogRow | None) -> list[str]:
    """Returns the sorted names of the fields that an update changed.

    Identifiers have no column: an update that changed no column changed them.
    """
    if previous is None or row.pgh_label == DELETED:
        return []
    names = [name for name in RECORDED if getattr(row, name) != getattr(previous, name)]
    return sorted(name.removesuffix("_id") for name in names) or ["identifiers"]


def postal_area(postal_code: str, country: str) -> str:
    """Returns the part that names an area and not a street.

    That is ZIP3 in the US, the outward code in the UK, and three characters elsewhere.
    """
    code = postal_code.strip().upper()
    if country == "GB":
        outward, _, inward = code.partition(" ")
        return outward if inward or len(code) < 5 else code[:-3]
    return code[:3]


def full_name(row: LogRow) -> str:
    """Returns the name as `Patient.full_name` has it; a log row has the same columns."""
    return Patient.full_name.fget(row)  # type: ignore[attr-defined]  # a property


def _channel(row: LogRow, context: Mapping[str, Any]) -> str:
    """Returns the channel of the change. Raw SQL has no context; its inserts fill the column."""
    return context.get("source") or (row.source if row.pgh_label == INSERTED else "")


def _headers(
    kind: str, event_id: int, patient_id: str, at: datetime, request_id: str
) -> list[tuple[str, bytes]]:
    """Returns the headers of CloudEvents 1.0 (Kafka binding, binary mode) and W3C Trace Context.

    Everything here follows from the row: an event sent twice is the same message.
    """
    trace_id = request_id if _TRACE_ID.fullmatch(request_id) else f"{event_id:032x}"
    return [
        _VERSION,
        ("ce_id", b"%d" % event_id),
        ("ce_type", b"patient.events.v1." + kind.removeprefix("PATIENT_").lower().encode()),
        _SOURCE,
        ("ce_time", at.astimezone(UTC).isoformat().replace("+00:00", "Z").encode()),
        ("ce_subject", patient_id.encode()),
        _CONTENT,
        ("traceparent", f"00-{trace_id}-{event_id:016x}-01".encode()),
    ]
