"""What may be read of the audit, and by whom: one trail out of both logs. It names records by MRN, and nobody."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import Any
from uuid import UUID

from django.db.models import F

from portal.accounts.models import User
from portal.audit.actions import write_in_words
from portal.audit.query import READ, SQL, WRITE, Asked, reads_asked_for, writes_asked_for
from portal.errors import NotAllowed, NotFound
from portal.pagination import encode_cursor
from portal.patients.audit import reading_name
from portal.patients.models import AccessRecord, Patient, PatientEvent
from portal.patients.models.log import UPDATED
from portal.patients.normalize import is_mrn

FEW = 3  # So many patients of a reading stand in its row; the others are a press away.
CHUNK = 100  # Rows of an export that are held at once: one may name a thousand patients.


@dataclass(frozen=True)
class Entry:
    """One reading or change. `patients` are (id, MRN) of all, or of the first FEW; `count` is how many there were."""

    kind: str
    id: int
    at: datetime
    user_id: int | None
    who: str
    what: str
    patients: list[tuple[UUID, str]]
    count: int
    door: str
    request_id: str
    route: str

    @property
    def more_count(self) -> int:
        return self.count - len(self.patients)


@dataclass(frozen=True)
class TrailPage:
    """Some entries, and the cursor of the page after; empty on the last."""

    entries: list[Entry]
    next_cursor: str = ""


def trail(user: User | None, asked: Asked, *, after: str = "", limit: int = 50) -> TrailPage:
    """A page of what was read and written, newest first."""
    found = _found(user, asked, after, limit + 1, whole=False)
    entries = _entries(found[:limit], asked)
    return TrailPage(entries, _cursor(found[limit - 1]) if len(found) > limit else "")


def whole_trail(user: User | None, asked: Asked) -> Iterator[Entry]:
    """All of it with all patients, newest first, in bounded memory."""
    after = ""
    while found := _found(user, asked, after, CHUNK, whole=True):
        yield from _entries(found, asked)
        after = _cursor(found[-1])


def patients_of(user: User | None, record_id: int) -> tuple[AccessRecord, list[tuple[UUID, str]]]:
    """One reading with everybody who was seen in it, by id and MRN."""
    _check(user)
    record = AccessRecord.objects.select_related("user").filter(pk=record_id).first()
    if record is None:
        raise NotFound("There is no reading at this address.")
    numbers = _numbers(record.patient_ids)
    return record, [(one, numbers[one]) for one in record.patient_ids]


def patient_meant(text: str) -> UUID | None:
    """The patient of an MRN, an id, or an address with an id in it; also one who is erased and stands in the log."""
    for part in text.replace("/", " ").split():
        try:
            return UUID(part)
        except ValueError:
            continue
    if not is_mrn(text):
        return None
    known = Patient.objects.filter(mrn=text).values_list("pk", flat=True).first()
    return (
        known or PatientEvent.objects.filter(mrn=text).values_list("pgh_obj_id", flat=True).first()
    )


def people() -> list[User]:
    """Everybody who has an account, also those who may not sign in any more."""
    return list(User.objects.order_by("full_name", "email"))


def _check(user: User | None) -> None:
    if user is not None and not user.has_perm("patients.view_accessrecord"):
        raise NotAllowed("Ask an operator for the right to see the audit.")


def _found(user: User | None, asked: Asked, after: str, limit: int, *, whole: bool) -> list[Any]:
    """Rows of both logs, newest first; those of the event log for whoever may see it."""
    _check(user)
    reads: list[Any] = []
    writes: list[Any] = []
    if asked.wants(READ):
        some = F("patient_ids") if whole else F(f"patient_ids__0_{FEW}")
        rows = reads_asked_for(asked, after).defer("patient_ids")
        reads = list(rows.annotate(some=some, count=F("patient_ids__len"))[:limit])
    if asked.wants(WRITE) and (user is None or user.has_perm("patients.view_patientevent")):
        writes = list(writes_asked_for(asked, after)[:limit])
    return list(islice(merge(reads, writes, key=_order, reverse=True), limit))


def _order(row: Any) -> tuple[datetime, str, int]:
    return (
        (row.at, READ, row.pk)
        if isinstance(row, AccessRecord)
        else (row.pgh_created_at, WRITE, row.pk)
    )


def _cursor(row: Any) -> str:
    at, kind, key = _order(row)
    return encode_cursor(at, f"{kind}{key}")


def _entries(rows: list[Any], asked: Asked) -> list[Entry]:
    reads = [row for row in rows if isinstance(row, AccessRecord)]
    writes = [row for row in rows if not isinstance(row, AccessRecord)]
    names = _names({_user_id(row) for row in rows})
    numbers = _numbers({one for row in reads for one in _told_of(row, asked)})
    before = _versions_before(writes)
    return [
        _read(row, names, [(one, numbers[one]) for one in _told_of(row, asked)])
        if isinstance(row, AccessRecord)
        else _write(row, names, before.get((row.pgh_obj_id, row.version - 1)))
        for row in rows
    ]


def _told_of(row: Any, asked: Asked) -> list[UUID]:
    """Whom a row names: all where they are few, else the one whom the question is about."""
    if row.count <= FEW or row.count == len(row.some):
        return list(row.some)
    return [asked.patient] if asked.patient else []


def _read(row: Any, names: dict[int, str], patients: list[tuple[UUID, str]]) -> Entry:
    who = names.get(row.user_id, "The system")
    what = reading_name(row.action)
    return Entry(
        READ,
        row.pk,
        row.at,
        row.user_id,
        who,
        what,
        patients,
        row.count,
        row.door,
        row.request_id,
        "",
    )


def _write(row: Any, names: dict[int, str], before: PatientEvent | None) -> Entry:
    context, user_id = row.pgh_context or {}, _user_id(row)
    who = names.get(user_id or 0, "The system")
    patients = [(row.pgh_obj_id, row.mrn)]
    door, request_id, route = (
        context.get("source") or SQL,
        context.get("request_id", ""),
        context.get("route", ""),
    )
    what = write_in_words(row, before)
    return Entry(
        WRITE, row.pk, row.pgh_created_at, user_id, who, what, patients, 1, door, request_id, route
    )


def _user_id(row: Any) -> int | None:
    return row.user_id if isinstance(row, AccessRecord) else (row.pgh_context or {}).get("user")


def _names(user_ids: Iterable[int | None]) -> dict[int, str]:
    return {
        user.pk: str(user) for user in User.objects.filter(pk__in=[one for one in user_ids if one])
    }


def _numbers(patient_ids: Iterable[UUID]) -> dict[UUID, str]:
    """The MRN of each; of those who are erased the one in the log, or the word for it."""
    wanted = set(patient_ids)
    numbers = dict(Patient.objects.filter(pk__in=wanted).values_list("pk", "mrn"))
    gone = PatientEvent.objects.filter(pgh_obj_id__in=wanted - numbers.keys()).values_list(
        "pgh_obj_id", "mrn"
    )
    return dict.fromkeys(wanted, "erased") | dict(gone) | numbers


def _versions_before(writes: list[Any]) -> dict[tuple[UUID, int], PatientEvent]:
    updates = [row for row in writes if row.pgh_label == UPDATED]
    ids, versions = {row.pgh_obj_id for row in updates}, {row.version - 1 for row in updates}
    found = PatientEvent.objects.filter(pgh_obj_id__in=ids, version__in=versions)
    return {(one.pgh_obj_id, one.version): one for one in found}
