"""Merging two records of one person, and unmerging them; each is one transaction."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pghistory
from django.db.models import Func

from portal.accounts.models import User
from portal.duplicates.merge_fields import checked_choices, column_values
from portal.duplicates.merge_log import event_of_version, find_merge, values_without_merge
from portal.errors import Conflict, FieldProblem, InvalidInput, NotFound
from portal.patients.audit import one_change
from portal.patients.matching.lookup import identifier_filter
from portal.patients.models import (
    IdentifierChange,
    Patient,
    PatientIdentifier,
    Status,
)
from portal.patients.services import apply_changes, refuse_merged, refuse_stale
from portal.text import clean_entry

MAX_REASON_LENGTH = 500  # characters


def merge_patient(
    duplicate_id: UUID,
    *,
    into: UUID,
    by: User | None,
    source: str,
    reason: str,
    take: Iterable[str] = (),
    expected_version: int | None = None,
    expected_into_version: int | None = None,
) -> Patient:
    """Merges a duplicate into the survivor, which is returned.

    The survivor gets the duplicate's values of the choices in `take`, and its identifiers. The
    duplicate becomes a merged record: it is kept as it was, read-only. The log of both names the
    other record and the reason.
    InvalidInput without a reason, into itself, or if the values do not fit together. NotFound.
    StaleVersion if a record is no longer at the expected version. Conflict if one of them is
    merged already, or if the survivor is archived.
    """
    taken = checked_choices(take)
    reason = _checked_reason(reason)
    if duplicate_id == into:
        detail = "Choose two records: these are one and the same."
        raise InvalidInput(errors=[FieldProblem("into", "same-record", detail)])
    with one_change(by, source=source):
        duplicate, survivor = _lock_records(duplicate_id, into)
        refuse_to_merge(duplicate, survivor)
        refuse_stale(duplicate, expected_version)
        refuse_stale(survivor, expected_into_version)
        with _merge_context(duplicate=str(duplicate.pk), reason=reason, taken=taken):
            changes: dict[str, Any] = {}
            for choice in taken:
                changes |= column_values(duplicate, choice)
            apply_changes(survivor, changes)
            _raise_version(survivor)
        version = survivor.version
        with _merge_context(
            survivor=str(into), survivor_version=version, reason=reason, taken=taken
        ):
            apply_changes(duplicate, {"status": Status.MERGED, "merged_into_id": into})
            PatientIdentifier.objects.filter(patient=duplicate).update(patient=survivor)
        return survivor


def refuse_to_merge(duplicate: Patient, survivor: Patient) -> None:
    """Raises Conflict, which says what to do first, if the two cannot be merged as they are."""
    if duplicate.status == Status.MERGED:
        refuse_merged(duplicate)
    if survivor.status == Status.MERGED:
        detail = "The record to keep was merged into another one itself. Merge into that one."
        raise Conflict(detail, mergedInto=str(survivor.merged_into_id))
    if survivor.status != Status.ACTIVE:
        raise Conflict("The record to keep is archived. Restore it first, or keep the other one.")


def _checked_reason(reason: str) -> str:
    reason = clean_entry(reason, pointer="reason")
    if not reason:
        detail = "Say in a few words how you know it is one person."
        raise InvalidInput(errors=[FieldProblem("reason", "required", detail)])
    if len(reason) > MAX_REASON_LENGTH:
        detail = f"Use at most {MAX_REASON_LENGTH} characters."
        raise InvalidInput(errors=[FieldProblem("reason", "too-long", detail)])
    return reason


def _lock_records(duplicate_id: UUID, survivor_id: UUID) -> tuple[Patient, Patient]:
    """Locks both in the order of their ids: users who merge two records crosswise wait in turn."""
    ids = {duplicate_id, survivor_id}
    patients = Patient.objects.select_for_update().filter(pk__in=ids).order_by("pk")
    found = {patient.pk: patient for patient in patients}
    if len(found) < len(ids):
        raise NotFound("There is no patient with this id.")
    return found[duplicate_id], found[survivor_id]


@contextmanager
def _merge_context(**merge: Any) -> Iterator[None]:
    """Writes these facts beside each change that is made inside, and beside none after that.

    The context of a request lasts longer than the merge.
    """
    with pghistory.context(merge=merge) as context:
        try:
            yield
        finally:
            context.metadata.pop("merge", None)


def _raise_version(survivor: Patient) -> None:
    """Gives the survivor a version and a row in the log even where no value of it differs."""
    Patient.objects.filter(pk=survivor.pk).update(changed_in=Func(function="patients_transaction"))
    survivor.refresh_from_db()


@dataclass(frozen=True)
class UnmergeResult:
    """The two records after an unmerge.

    `kept_by_survivor` names the choices, and `identifiers`, that the survivor keeps of the other.
    """

    unmerged: Patient
    survivor: Patient
    kept_by_survivor: list[str]


def unmerge_patient(
    merged_id: UUID, *, by: User | None, source: str, expected_version: int | None = None
) -> UnmergeResult:
    """Makes a merged record what it was before, and takes from the survivor what came from it.

    What was changed since the merge, and identifiers that the survivor has no more, stay as they
    are: `kept_by_survivor` names them.
    NotFound; StaleVersion; Conflict if the record is not merged, or if its survivor was merged
    itself: that merge is undone first.
    """
    with one_change(by, source=source):
        survivor_ids = Patient.objects.filter(pk=merged_id).values_list("merged_into", flat=True)
        merged, survivor = _lock_records(merged_id, survivor_ids.first() or merged_id)
        _refuse_to_unmerge(merged, survivor)
        refuse_stale(merged, expected_version)
        with _merge_context(duplicate=str(merged.pk), undone=True):
            plan = _plan_unmerge(merged, survivor)
            apply_changes(survivor, plan.survivor_values)
            _raise_version(survivor)
        with _merge_context(survivor=str(survivor.pk), undone=True):
            apply_changes(merged, {"status": plan.status, "merged_into_id": None})
            returned = PatientIdentifier.objects.filter(pk__in=plan.identifier_ids)
            returned.update(patient=merged)
        return UnmergeResult(merged, survivor, plan.kept_by_survivor)


def _refuse_to_unmerge(merged: Patient, survivor: Patient) -> None:
    """Raises Conflict, also if the record was unmerged or merged anew before it was locked."""
    if merged.merged_into_id is None or merged.merged_into_id != survivor.pk:
        raise Conflict(
            "This record is not merged into another one, or not any more. Look at it again."
        )
    if survivor.status == Status.MERGED:
        detail = (
            "The record that this one was merged into was merged itself. Undo that merge first."
        )
        raise Conflict(detail, mergedInto=str(survivor.merged_into_id))


@dataclass(frozen=True)
class _UnmergePlan:
    """What goes back: values of the survivor, identifiers by key, the merged record's status."""

    survivor_values: dict[str, Any]
    identifier_ids: list[int]
    status: str
    kept_by_survivor: list[str]


def _plan_unmerge(merged: Patient, survivor: Patient) -> _UnmergePlan:
    """Plans the unmerge of two locked records.

    A merge that SQL made took nothing, so nothing goes back, and the record is active again.
    """
    merge = find_merge(merged)
    if merge is None:
        return _UnmergePlan({}, [], Status.ACTIVE, [])
    before = event_of_version(merged.pk, merge.version - 1)
    version = merge.pgh_context["merge"]["survivor_version"]
    values, kept = values_without_merge(survivor, version)
    identifier_ids, are_some_missing = _moved_identifiers(merged.pk, merge.version, survivor)
    if are_some_missing:
        kept.append("identifiers")
    status = before.status if before else Status.ACTIVE
    return _UnmergePlan(values, identifier_ids, status, kept)


def _moved_identifiers(merged_id: UUID, version: int, survivor: Patient) -> tuple[list[int], bool]:
    """Returns the keys of moved identifiers that the survivor has, and whether some are gone."""
    moved = IdentifierChange.objects.filter(patient_id=merged_id, version=version, is_added=False)
    keys = list(moved.values_list("system", "value"))
    if not keys:
        return [], False
    found = PatientIdentifier.objects.filter(identifier_filter(keys), patient=survivor)
    identifier_ids = [identifier.pk for identifier in found]
    return identifier_ids, len(identifier_ids) < len(keys)
