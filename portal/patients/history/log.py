"""What the log tells of one patient: change by change in pages, and the record as it was."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from portal.accounts.models import User
from portal.errors import NotAllowed
from portal.patients.audit import record_reading
from portal.patients.fields import RECORDED
from portal.patients.models import IdentifierChange, Patient, PatientEvent, PatientIdentifier
from portal.patients.models.log import DELETED
from portal.patients.models.patient import LONGEST_CHAIN
from portal.patients.selectors import no_such_patient, patients_visible_to

PAGE_SIZE = 50


@dataclass(frozen=True)
class LoggedMerge:
    """What a change has to do with another record: merged into it, or it into this one, or that taken back.

    `other` is the MRN of the other record; `words` why somebody merged them.
    """

    other: str
    is_of_survivor: bool
    is_undone: bool = False
    words: str = ""


class HeldIdentifier(NamedTuple):
    """An identifier as a patient held it."""

    system: str
    value: str
    valid_from: date | None = None
    valid_to: date | None = None

    @classmethod
    def of(cls, row: PatientIdentifier | IdentifierChange) -> "HeldIdentifier":
        return cls(row.system, row.value, row.valid_from, row.valid_to)


@dataclass(frozen=True)
class Change:
    """One row of the log as people read it: who did what when, field by field (name, old, new)."""

    event_id: int
    version: int
    at: datetime
    kind: str
    actor: str
    source: str
    fields: list[tuple[str, str, str]] = field(default_factory=list)
    lost: list[HeldIdentifier] = field(default_factory=list)
    got: list[HeldIdentifier] = field(default_factory=list)
    precisions: tuple[str, str] = ("", "")  # Of the date of birth, before and after.
    request_id: str = ""
    reason: str = ""
    is_mended: bool = False
    merge: LoggedMerge | None = None


@dataclass(frozen=True)
class ChangePage:
    """Some changes, newest first; `before` is the version that the next page starts under, None on the last."""

    changes: list[Change]
    before: int | None


@dataclass(frozen=True)
class PastRecord:
    """The record as it stood: `patient` is not stored anywhere, `since` is when it became so, and who made it so."""

    patient: Patient
    since: datetime
    identifiers: list[HeldIdentifier]


def read_history(user: User | None, patient_id: UUID, *, channel: str) -> list[Change]:
    """The whole log of one patient, newest first, field by field; the reading is recorded."""
    _may_see_history(user)
    if not patients_visible_to(user).filter(pk=patient_id).exists():
        raise no_such_patient(patient_id)
    events = list(PatientEvent.objects.filter(pgh_obj_id=patient_id).order_by("pgh_id"))
    record_reading(user, [patient_id], action="history", channel=channel)
    changes = _changes([None, *events], events)
    return [_with_identifiers_in_a_word(change) for change in reversed(changes)]


def changes_of(
    user: User | None, patient: Patient, *, before: int | None = None, limit: int = PAGE_SIZE
) -> ChangePage:
    """A page of the log of a patient who was opened, by version: it costs the same however long the log is."""
    _may_see_history(user)
    rows = list(_versions(patient, before)[: limit + 1])
    shown = rows[:limit]
    changes = _changes([*rows[1:], None][: len(shown)], shown)
    return ChangePage(changes, shown[-1].version if len(rows) > limit else None)


def record_as_of(
    user: User | None, patient: Patient, *, at: datetime | None = None, version: int | None = None
) -> PastRecord | None:
    """An opened patient's record as it was at a moment, or as of a version; None where there was none yet."""
    _may_see_history(user)
    rows = _versions(patient, None)
    rows = (
        rows.filter(version=version) if version is not None else rows.filter(pgh_created_at__lte=at)
    )
    event = rows.first()
    if event is None:
        return None
    columns = [*RECORDED, "id", "version", "created_at", "updated_at"]
    state = Patient(**{name: getattr(event, name) for name in columns})
    return PastRecord(state, event.pgh_created_at, _identifiers_at(patient, event.version))


def version_time(patient: Patient, version: int) -> datetime | None:
    """When this version came to be."""
    return _versions(patient, version + 1).values_list("pgh_created_at", flat=True).first()


def _may_see_history(user: User | None) -> None:
    if user is not None and not user.has_perm("patients.view_history"):
        raise NotAllowed("Ask an operator for the right to see what changed.")


def _versions(patient: Patient, before: int | None) -> Any:
    """Newest first, along the index of versions."""
    rows = (
        PatientEvent.objects.filter(pgh_obj_id=patient.pk)
        .exclude(pgh_label=DELETED)
        .order_by("-version")
    )
    return rows if before is None else rows.filter(version__lt=before)


def _identifiers_at(patient: Patient, version: int) -> list[HeldIdentifier]:
    """Today's, with what came later taken back: this also tells of those that are older than their log."""
    held = {(one.system, one.value): HeldIdentifier.of(one) for one in patient.identifiers.all()}
    later = IdentifierChange.objects.filter(patient_id=patient.pk, version__gt=version)
    for change in later.order_by("-version", "-id"):
        if change.is_added:
            held.pop((change.system, change.value), None)
        else:
            held[change.system, change.value] = HeldIdentifier.of(change)
    return [held[pair] for pair in sorted(held)]


def _changes(befores: Sequence[Any], events: Sequence[Any]) -> list[Change]:
    names, identifiers, merges = (
        _actor_names(events),
        _identifier_changes(events),
        merges_in(befores, events),
    )
    return [
        replace(
            _change(event, before, names, identifiers[event.version]),
            merge=merges.get(event.version),
        )
        for before, event in zip(befores, events, strict=False)
    ]


def _actor_names(events: Sequence[Any]) -> dict[int, str]:
    ids = {user for event in events if (user := (event.pgh_context or {}).get("user"))}
    return {user.pk: str(user) for user in User.objects.filter(pk__in=ids)}


def _identifier_changes(events: Sequence[Any]) -> dict[int, list[IdentifierChange]]:
    found = defaultdict(list)
    if events:
        versions = [event.version for event in events]
        for row in IdentifierChange.objects.filter(
            patient_id=events[0].pgh_obj_id, version__in=versions
        ):
            found[row.version].append(row)
    return found


def _change(
    event: Any, before: Any, names: dict[int, str], identifiers: list[IdentifierChange]
) -> Change:
    context = event.pgh_context or {}
    fields = [
        (name, _shown(getattr(before, name, "")), _shown(getattr(event, name)))
        for name in RECORDED
        if name != "phone_e164"
        and _shown(getattr(before, name, "")) != _shown(getattr(event, name))
    ]
    return Change(
        event.pgh_id,
        event.version,
        event.pgh_created_at,
        event.pgh_label,
        names.get(context.get("user") or 0, "the system"),
        context.get("source") or ("sql" if not context else ""),
        fields,
        lost=[HeldIdentifier.of(one) for one in identifiers if not one.is_added],
        got=[HeldIdentifier.of(one) for one in identifiers if one.is_added],
        precisions=(getattr(before, "date_of_birth_precision", ""), event.date_of_birth_precision),
        request_id=context.get("request_id") or "",
        reason=context.get("duplicate_reason") or "",
        is_mended=bool(context.get("restored")),
    )


def _with_identifiers_in_a_word(change: Change) -> Change:
    """For programs, which know an identifier's change by this one word."""
    if not change.fields and change.kind == "update":
        change.fields.append(("identifiers", "", "changed"))
    return change


def _shown(value: Any) -> str:
    return "" if value is None else str(value)


def merges_in(befores: Sequence[Any], events: Sequence[Any]) -> dict[int, LoggedMerge]:
    """Of some log rows, each beside the one before it, those that merged something or took that back, by version."""
    found = {}
    for before, event in zip(befores, events, strict=False):
        if told := _told(before, event):
            found[event.version] = told
    numbers = mrns_of(other for other, _ in found.values())
    return {
        version: LoggedMerge(
            numbers.get(other, "erased"),
            is_of_survivor="duplicate" in told,
            is_undone=bool(told.get("undone")),
            words=told.get("reason", ""),
        )
        for version, (other, told) in found.items()
    }


def merged_records(patient: Patient) -> list[Patient]:
    """The records that were merged into this one, also by way of others, in the order of their MRNs: MRN and id."""
    found: dict[UUID, Patient] = {}
    last = [patient.pk]
    for _ in range(LONGEST_CHAIN):
        rows = (
            Patient.objects.filter(merged_into__in=last)
            .only("id", "mrn", "merged_into")
            .order_by("mrn")
        )
        last = [one.pk for one in rows if one.pk not in found]
        found |= {one.pk: one for one in rows}
        if not last:
            break
    return sorted(found.values(), key=lambda one: one.mrn)


def mrns_of(patient_ids: Iterable[UUID | str]) -> dict[str, str]:
    """MRNs by the text of the id; also of those who are erased and stand in the log."""
    wanted = {str(one) for one in patient_ids}
    if not wanted:
        return {}
    told = PatientEvent.objects.filter(pgh_obj_id__in=wanted).values_list("pgh_obj_id", "mrn")
    return {str(pk): mrn for pk, mrn in told.distinct()}


def _told(before: Any, event: Any) -> tuple[str, Mapping[str, Any]] | None:
    """The other record's id, and what the writer left beside the row; SQL leaves nothing, but the columns tell."""
    told = (event.pgh_context or {}).get("merge")
    if told:
        return told.get("duplicate") or told.get("survivor"), told
    was, now = getattr(before, "merged_into_id", None), event.merged_into_id
    if was == now:
        return None
    return str(now or was), {} if now else {"undone": True}
