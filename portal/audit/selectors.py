"""Reads the audit: both logs as one list, newest first. It names records by MRN, never by name."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from typing import Any
from uuid import UUID

from django.db.models import F

from portal.accounts.models import User
from portal.audit.actions import describe_change
from portal.audit.query import READ, SQL, WRITE, AuditQuery, reads_matching, writes_matching
from portal.errors import NotAllowed, NotFound
from portal.pagination import Page, encode_cursor, page_of
from portal.patients.audit import action_name
from portal.patients.models import AccessRecord, Patient, PatientEvent
from portal.patients.models.log import UPDATED
from portal.patients.normalize import is_mrn

MAX_PATIENTS_SHOWN = 3  # In a row of the page; a link shows the rest.
CHUNK_ROWS = 100  # Rows of an export in memory at once: a row may name a thousand patients.

IdAndMrn = tuple[UUID, str]  # A patient's id and MRN.


@dataclass(frozen=True)
class AuditEntry:
    """A read or a change; `id` is its row's in the log. `patients` may be the first of `count`."""

    kind: str
    id: int
    at: datetime
    user_id: int | None
    who: str
    what: str
    patients: list[IdAndMrn]
    count: int
    channel: str
    request_id: str
    route: str = ""

    @property
    def more_count(self) -> int:
        return self.count - len(self.patients)


def audit_page(
    user: User | None, query: AuditQuery, *, after: str = "", limit: int = 50
) -> Page[AuditEntry]:
    """Returns a page of reads and changes, newest first. NotAllowed."""
    rows = _matching_rows(user, query, after, limit + 1, with_all_patients=False)
    page = page_of(rows, limit=limit, cursor=_cursor)
    return page.with_rows(_entries(page.rows, query))


def all_audit_entries(user: User | None, query: AuditQuery) -> Iterator[AuditEntry]:
    """Yields every read and change with all its patients, newest first, in bounded memory."""
    after = ""
    while rows := _matching_rows(user, query, after, CHUNK_ROWS, with_all_patients=True):
        yield from _entries(rows, query)
        after = _cursor(rows[-1])


def open_access_record(user: User | None, record_id: int) -> tuple[AccessRecord, list[IdAndMrn]]:
    """Returns an access record and all patients who were seen. NotAllowed, NotFound."""
    _check_right(user)
    record = AccessRecord.objects.select_related("user").filter(pk=record_id).first()
    if record is None:
        raise NotFound("There is no access record at this address.")
    mrns = _mrns(record.patient_ids)
    return record, [(patient_id, mrns[patient_id]) for patient_id in record.patient_ids]


def resolve_patient_id(text: str) -> UUID | None:
    """Returns the patient of an MRN, of an id, or of an address with an id in it.

    It also finds an erased patient, who stands in the log only.
    """
    for part in text.replace("/", " ").split():
        try:
            return UUID(part)
        except ValueError:
            continue
    if not is_mrn(text):
        return None
    current = Patient.objects.filter(mrn=text).values_list("pk", flat=True).first()
    logged = PatientEvent.objects.filter(mrn=text).values_list("pgh_obj_id", flat=True)
    return current or logged.first()


def all_users() -> list[User]:
    """Returns every user, also those who may not sign in any more."""
    return list(User.objects.order_by("full_name", "email"))


def _check_right(user: User | None) -> None:
    if user is not None and not user.has_perm("patients.view_accessrecord"):
        raise NotAllowed("Ask an operator for the right to see the audit.")


def _matching_rows(
    user: User | None, query: AuditQuery, after: str, limit: int, *, with_all_patients: bool
) -> list[Any]:
    """Returns rows of both logs, newest first; changes only to a user who may see them."""
    _check_right(user)
    reads: list[Any] = []
    writes: list[Any] = []
    if query.includes(READ):
        shown = "patient_ids" if with_all_patients else f"patient_ids__0_{MAX_PATIENTS_SHOWN}"
        records = reads_matching(query, after=after).defer("patient_ids")
        records = records.annotate(shown_ids=F(shown), count=F("patient_ids__len"))
        reads = list(records[:limit])
    if query.includes(WRITE) and (user is None or user.has_perm("patients.view_patientevent")):
        writes = list(writes_matching(query, after=after)[:limit])
    return list(merge(reads, writes, key=_order, reverse=True))[:limit]


def _order(row: Any) -> tuple[datetime, str, int]:
    if isinstance(row, AccessRecord):
        return row.at, READ, row.pk
    return row.pgh_created_at, WRITE, row.pk


def _cursor(row: Any) -> str:
    at, kind, row_id = _order(row)
    return encode_cursor(at, f"{kind}{row_id}")


def _entries(rows: Iterable[Any], query: AuditQuery) -> list[AuditEntry]:
    rows = list(rows)
    reads = [row for row in rows if isinstance(row, AccessRecord)]
    writes = [row for row in rows if isinstance(row, PatientEvent)]
    names = _user_names({_user_id(row) for row in rows})
    mrns = _mrns({patient_id for read in reads for patient_id in _named_patients(read, query)})
    versions = _versions_before(writes)
    entries = []
    for row in rows:
        if isinstance(row, AccessRecord):
            patients = [
                (patient_id, mrns[patient_id]) for patient_id in _named_patients(row, query)
            ]
            entries.append(_read_entry(row, names, patients))
        else:
            before = versions.get((row.pgh_obj_id, row.version - 1))
            entries.append(_write_entry(row, names, before))
    return entries


def _named_patients(read: Any, query: AuditQuery) -> list[UUID]:
    """Returns the patients to name: all where they are few, else the one that is searched for."""
    if read.count <= MAX_PATIENTS_SHOWN or read.count == len(read.shown_ids):
        return list(read.shown_ids)
    return [query.patient] if query.patient else []


def _read_entry(read: Any, names: dict[int, str], patients: list[IdAndMrn]) -> AuditEntry:
    return AuditEntry(
        kind=READ,
        id=read.pk,
        at=read.at,
        user_id=read.user_id,
        who=names.get(read.user_id, "The system"),
        what=action_name(read.action),
        patients=patients,
        count=read.count,
        channel=read.door,
        request_id=read.request_id,
    )


def _write_entry(
    event: PatientEvent, names: dict[int, str], before: PatientEvent | None
) -> AuditEntry:
    context, user_id = event.pgh_context or {}, _user_id(event)
    return AuditEntry(
        kind=WRITE,
        id=event.pk,
        at=event.pgh_created_at,
        user_id=user_id,
        who=names.get(user_id or 0, "The system"),
        what=describe_change(event, before),
        patients=[(event.pgh_obj_id, event.mrn)],
        count=1,
        channel=context.get("source") or SQL,
        request_id=context.get("request_id", ""),
        route=context.get("route", ""),
    )


def _user_id(row: Any) -> int | None:
    return row.user_id if isinstance(row, AccessRecord) else (row.pgh_context or {}).get("user")


def _user_names(user_ids: Iterable[int | None]) -> dict[int, str]:
    users = User.objects.filter(pk__in=[user_id for user_id in user_ids if user_id])
    return {user.pk: str(user) for user in users}


def _mrns(patient_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Returns the MRN of each patient: of an erased one from the log, else the word `erased`."""
    wanted = set(patient_ids)
    current = dict(Patient.objects.filter(pk__in=wanted).values_list("pk", "mrn"))
    logged = PatientEvent.objects.filter(pgh_obj_id__in=wanted - current.keys())
    erased = dict(logged.values_list("pgh_obj_id", "mrn"))
    return dict.fromkeys(wanted, "erased") | erased | current


def _versions_before(writes: Iterable[PatientEvent]) -> dict[tuple[UUID, int], PatientEvent]:
    """Returns the log's rows that the updates among these changed, by patient and version."""
    updates = [event for event in writes if event.pgh_label == UPDATED]
    patient_ids = {event.pgh_obj_id for event in updates}
    versions = {event.version - 1 for event in updates}
    events = PatientEvent.objects.filter(pgh_obj_id__in=patient_ids, version__in=versions)
    return {(event.pgh_obj_id, event.version): event for event in events}
