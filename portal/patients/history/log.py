"""The log of one patient: its changes, newest first, and the record as it was at a time."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import QuerySet

from portal.accounts.models import User
from portal.errors import NotAllowed
from portal.pagination import Page, page_of
from portal.patients.audit import record_access
from portal.patients.fields import RECORDED
from portal.patients.history.merges import LoggedMerge, merges_by_version
from portal.patients.models import IdentifierChange, Patient, PatientEvent, PatientIdentifier
from portal.patients.models.log import DELETED
from portal.patients.selectors import no_such_patient, patients_visible_to

PAGE_SIZE = 50  # changes on a page


class HeldIdentifier(NamedTuple):
    """An identifier as a patient held it at some time."""

    system: str
    value: str
    valid_from: date | None = None
    valid_to: date | None = None

    @classmethod
    def from_row(cls, row: PatientIdentifier | IdentifierChange) -> "HeldIdentifier":
        return cls(row.system, row.value, row.valid_from, row.valid_to)


@dataclass(frozen=True)
class Change:
    """One version in the log: who changed what and when, field by field as (name, old, new)."""

    event_id: int
    version: int
    at: datetime
    kind: str  # "insert" or "update"
    actor: str
    source: str  # the channel that the change came in by
    fields: list[tuple[str, str, str]] = field(default_factory=list)
    removed: list[HeldIdentifier] = field(default_factory=list)
    added: list[HeldIdentifier] = field(default_factory=list)
    birth_precisions: tuple[str, str] = ("", "")  # before and after
    request_id: str = ""
    override_reason: str = ""
    is_repaired: bool = False  # written into the log afterwards
    merge: LoggedMerge | None = None


@dataclass(frozen=True)
class PastRecord:
    """A record as it stood from `since` on; `patient` is built from the log and stored nowhere."""

    patient: Patient
    since: datetime
    identifiers: list[HeldIdentifier]


def read_history(user: User | None, patient_id: UUID, *, channel: str) -> list[Change]:
    """Returns all changes of one patient, newest first, for programs; writes an access record.

    A change of identifiers alone is one field, `identifiers`, that says "changed".
    """
    _check_right(user)
    if not patients_visible_to(user).filter(pk=patient_id).exists():
        raise no_such_patient(patient_id)
    events = list(PatientEvent.objects.filter(pgh_obj_id=patient_id).order_by("pgh_id"))
    record_access(user, [patient_id], action="history", channel=channel)
    changes = _changes([None, *events][: len(events)], events)
    for change in changes:
        if not change.fields and change.kind == "update":
            change.fields.append(("identifiers", "", "changed"))
    return changes[::-1]


def changes_of(
    user: User | None, patient: Patient, *, before: int | None = None, limit: int = PAGE_SIZE
) -> Page[Change]:
    """Returns a page of a patient's changes, newest first, below the version `before`.

    It costs the same however long the log is. Raises NotAllowed if the user may not see it.
    """
    _check_right(user)
    events = list(_versions(patient, before)[: limit + 1])
    page = page_of(events, limit=limit, cursor=lambda event: str(event.version))
    previous_events = [*events[1:], None][: len(page.rows)]
    return page.with_rows(_changes(previous_events, page.rows))


def record_as_of(
    user: User | None, patient: Patient, *, at: datetime | None = None, version: int | None = None
) -> PastRecord | None:
    """Returns the record as it was at a time, or as of a version; None if there was none yet."""
    _check_right(user)
    versions = _versions(patient, None)
    if version is not None:
        event = versions.filter(version=version).first()
    else:
        event = versions.filter(pgh_created_at__lte=at).first()
    if event is None:
        return None
    columns = [*RECORDED, "id", "version", "created_at", "updated_at"]
    past_patient = Patient(**{name: getattr(event, name) for name in columns})
    return PastRecord(past_patient, event.pgh_created_at, _identifiers_at(patient, event.version))


def version_time(patient: Patient, version: int) -> datetime | None:
    """Returns when this version was written."""
    return _versions(patient, version + 1).values_list("pgh_created_at", flat=True).first()


def _check_right(user: User | None) -> None:
    if user is not None and not user.has_perm("patients.view_history"):
        raise NotAllowed("Ask an operator for the right to see what changed.")


def _versions(patient: Patient, before: int | None) -> QuerySet[Any]:
    """Returns the log's rows of a patient, newest first, along the index of versions."""
    versions = PatientEvent.objects.filter(pgh_obj_id=patient.pk).exclude(pgh_label=DELETED)
    if before is not None:
        versions = versions.filter(version__lt=before)
    return versions.order_by("-version")


def _identifiers_at(patient: Patient, version: int) -> list[HeldIdentifier]:
    """Returns the identifiers of a version: today's, with all later changes taken back.

    So identifiers that are older than their log are there as well.
    """
    held = {}
    for identifier in patient.identifiers.all():
        held[identifier.system, identifier.value] = HeldIdentifier.from_row(identifier)
    later = IdentifierChange.objects.filter(patient_id=patient.pk, version__gt=version)
    for change in later.order_by("-version", "-id"):
        if change.is_added:
            held.pop((change.system, change.value), None)
        else:
            held[change.system, change.value] = HeldIdentifier.from_row(change)
    return [held[key] for key in sorted(held)]


def _changes(previous_events: Sequence[Any], events: Sequence[Any]) -> list[Change]:
    """Returns the change that each of some log rows made; `previous_events` stand beside them."""
    actors, identifiers = _actor_names(events), _identifier_changes(events)
    merges = merges_by_version(previous_events, events)
    changes = []
    for previous, event in zip(previous_events, events, strict=True):
        context = event.pgh_context or {}
        of_identifiers = identifiers[event.version]
        change = Change(
            event.pgh_id,
            event.version,
            event.pgh_created_at,
            event.pgh_label,
            actor=actors.get(context.get("user") or 0, "the system"),
            source=context.get("source") or ("sql" if not context else ""),
            fields=_changed_fields(previous, event),
            removed=[HeldIdentifier.from_row(row) for row in of_identifiers if not row.is_added],
            added=[HeldIdentifier.from_row(row) for row in of_identifiers if row.is_added],
            birth_precisions=(
                getattr(previous, "date_of_birth_precision", ""),
                event.date_of_birth_precision,
            ),
            request_id=context.get("request_id") or "",
            override_reason=context.get("duplicate_reason") or "",
            is_repaired=bool(context.get("restored")),
            merge=merges.get(event.version),
        )
        changes.append(change)
    return changes


def _actor_names(events: Sequence[Any]) -> dict[int, str]:
    contexts = [event.pgh_context or {} for event in events]
    user_ids = {context["user"] for context in contexts if context.get("user")}
    return {user.pk: str(user) for user in User.objects.filter(pk__in=user_ids)}


def _identifier_changes(events: Sequence[Any]) -> dict[int, list[IdentifierChange]]:
    """Returns the rows of the identifiers' log by version."""
    by_version = defaultdict(list)
    if events:
        versions = [event.version for event in events]
        rows = IdentifierChange.objects.filter(
            patient_id=events[0].pgh_obj_id, version__in=versions
        )
        for row in rows:
            by_version[row.version].append(row)
    return by_version


def _changed_fields(previous: Any, event: Any) -> list[tuple[str, str, str]]:
    changed = []
    for name in RECORDED:
        old, new = _as_text(getattr(previous, name, "")), _as_text(getattr(event, name))
        if old != new and name != "phone_e164":
            changed.append((name, old, new))
    return changed


def _as_text(value: Any) -> str:
    return "" if value is None else str(value)
