"""Two records of one person become one, and two again: writers like those of `services`, each one transaction."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pghistory
from django.db import transaction
from django.db.models import Func

from portal.accounts.models import User
from portal.duplicates.merge_fields import MERGE_FIELDS, checked_merge_fields, column_values
from portal.errors import Conflict, FieldProblem, InvalidInput, NotFound
from portal.patients.audit import written_by
from portal.patients.matching.lookup import identifier_filter
from portal.patients.models import (
    IdentifierChange,
    Patient,
    PatientEvent,
    PatientIdentifier,
    Status,
)
from portal.patients.models.log import DELETED
from portal.patients.services import apply_changes, refuse_merged, refuse_stale

LONGEST_REASON = 500


@dataclass(frozen=True)
class UnmergeResult:
    """Two records again. `left` names the choices, and `identifiers`, that the survivor keeps from the other one."""

    duplicate: Patient
    survivor: Patient
    left: list[str]


@dataclass(frozen=True)
class UnmergePlan:
    """What goes back: the survivor's values, the identifiers by their keys, and the duplicate's status of before."""

    values: dict[str, Any]
    identifiers: list[int]
    status: str
    left: list[str]


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
    """The survivor, with the duplicate's values of the choices in `take` and with its identifiers as well.

    The duplicate is kept as it was, read-only, with the status merged; both log rows name the other record, and why.
    InvalidInput without a reason, into itself, or if the values do not fit together. NotFound. StaleVersion if one of
    them is no longer at the version that somebody looked at. Conflict if one was merged, or the survivor is archived.
    """
    taken = checked_merge_fields(take)
    reason = _given(reason)
    if duplicate_id == into:
        raise InvalidInput(
            errors=[
                FieldProblem(
                    "into", "same-record", "Choose two records: these are one and the same."
                )
            ]
        )
    with transaction.atomic(), written_by(by, source=source):
        duplicate, survivor = _locked_pair(duplicate_id, into)
        refuse_to_merge(duplicate, survivor)
        refuse_stale(duplicate, expected_version)
        refuse_stale(survivor, expected_into_version)
        with _told(duplicate=str(duplicate.pk), reason=reason, taken=taken):
            changes = {
                name: value
                for one in taken
                for name, value in column_values(duplicate, one).items()
            }
            apply_changes(survivor, changes)
            _touch(survivor)
        with _told(
            survivor=str(into), survivor_version=survivor.version, reason=reason, taken=taken
        ):
            apply_changes(duplicate, {"status": Status.MERGED, "merged_into_id": into})
            PatientIdentifier.objects.filter(patient=duplicate).update(patient=survivor)
        return survivor


def unmerge_patient(
    duplicate_id: UUID, *, by: User | None, source: str, expected_version: int | None = None
) -> UnmergeResult:
    """The duplicate as it was before its merge, and the survivor without what came from it.

    What somebody changed since, and identifiers that the survivor holds no more, stay as they are: `left` names them.
    NotFound; StaleVersion; Conflict if the record is not merged, or if its survivor was merged on: that goes first.
    """
    with transaction.atomic(), written_by(by, source=source):
        into = Patient.objects.filter(pk=duplicate_id).values_list("merged_into", flat=True).first()
        duplicate, survivor = _locked_pair(duplicate_id, into or duplicate_id)
        _refuse_to_part(duplicate, survivor)
        refuse_stale(duplicate, expected_version)
        with _told(duplicate=str(duplicate.pk), undone=True):
            plan = plan_unmerge(duplicate, survivor)
            apply_changes(survivor, plan.values)
            _touch(survivor)
        with _told(survivor=str(survivor.pk), undone=True):
            apply_changes(duplicate, {"status": plan.status, "merged_into_id": None})
            PatientIdentifier.objects.filter(pk__in=plan.identifiers).update(patient=duplicate)
        return UnmergeResult(duplicate, survivor, plan.left)


def _given(reason: str) -> str:
    words = " ".join(reason.split())
    if not words:
        raise InvalidInput(
            errors=[
                FieldProblem(
                    "reason", "required", "Say in a few words how you know it is one person."
                )
            ]
        )
    if len(words) > LONGEST_REASON:
        raise InvalidInput(
            errors=[FieldProblem("reason", "too-long", f"Use at most {LONGEST_REASON} characters.")]
        )
    return words


def _locked_pair(duplicate_id: UUID, into: UUID) -> tuple[Patient, Patient]:
    """Both, locked in the order of their ids: two desks that merge them crosswise wait, and none for ever."""
    ids = {duplicate_id, into}
    found = {
        one.pk: one for one in Patient.objects.select_for_update().filter(pk__in=ids).order_by("pk")
    }
    if len(found) < len(ids):
        raise NotFound("There is no patient with this id.")
    return found[duplicate_id], found[into]


def refuse_to_merge(duplicate: Patient, survivor: Patient) -> None:
    """Conflict, which says what to do first, if these two cannot be merged as they are."""
    if duplicate.status == Status.MERGED:
        refuse_merged(duplicate)
    if survivor.status == Status.MERGED:
        words = "The record to keep was merged into another one itself. Merge into that one."
        raise Conflict(words, mergedInto=str(survivor.merged_into_id))
    if survivor.status != Status.ACTIVE:
        raise Conflict("The record to keep is archived. Restore it first, or keep the other one.")


def _refuse_to_part(duplicate: Patient, survivor: Patient) -> None:
    """Also where somebody parted them, or merged them anew, between the look and the lock."""
    if duplicate.merged_into_id is None or duplicate.merged_into_id != survivor.pk:
        raise Conflict(
            "This record is not merged into another one, or not any more. Look at it again."
        )
    if survivor.status == Status.MERGED:
        words = "The record that this one was merged into was merged itself. Take that back first."
        raise Conflict(words, mergedInto=str(survivor.merged_into_id))


def _touch(survivor: Patient) -> None:
    """A merge is a change of the survivor too, whether or not a value differs: one version, one row in the log."""
    Patient.objects.filter(pk=survivor.pk).update(changed_in=Func(function="patients_transaction"))
    survivor.refresh_from_db()


@contextmanager
def _told(**merge: Any) -> Iterator[None]:
    """The log's rows written inside say so; the context of a request outlives this, and its later rows say nothing."""
    with pghistory.context(merge=merge) as told:
        try:
            yield
        finally:
            told.metadata.pop("merge", None)


def plan_unmerge(duplicate: Patient, survivor: Patient) -> UnmergePlan:
    """The plan for two locked records. Where SQL merged them, nothing was taken, and the duplicate is active again."""
    merge = _merge_of(duplicate)
    if merge is None:
        return UnmergePlan({}, [], Status.ACTIVE, [])
    before = _version(duplicate.pk, merge.version - 1)
    values, left = _values_before(survivor, merge.pgh_context["merge"]["survivor_version"])
    held, missing = _identifiers_of(duplicate.pk, merge.version, survivor)
    return UnmergePlan(
        values, held, before.status if before else Status.ACTIVE, left + ["identifiers"] * missing
    )


def _merge_of(duplicate: Patient) -> PatientEvent | None:
    """The log's row of the merge that holds now."""
    into = str(duplicate.merged_into_id)
    rows = PatientEvent.objects.filter(
        pgh_obj=duplicate, pgh_context__merge__survivor=into, status=Status.MERGED
    )
    return rows.order_by("-version").first()


def _version(patient_id: UUID, version: int) -> PatientEvent | None:
    rows = PatientEvent.objects.filter(pgh_obj=patient_id, version=version)
    return rows.exclude(pgh_label=DELETED).first()


def _values_before(survivor: Patient, version: int) -> tuple[dict[str, Any], list[str]]:
    """What the merge changed, as it was; and the choices in which somebody changed it since."""
    before, after = _version(survivor.pk, version - 1), _version(survivor.pk, version)
    back: dict[str, Any] = {}
    left = []
    for choice in MERGE_FIELDS if before and after else ():
        if column_values(before, choice) == column_values(after, choice):
            continue
        if column_values(survivor, choice) == column_values(after, choice):
            back |= column_values(before, choice)
        else:
            left.append(choice)
    return back, left


def _identifiers_of(duplicate_id: UUID, version: int, survivor: Patient) -> tuple[list[int], bool]:
    """The keys of those that the duplicate lost with this version and the survivor holds; whether some are missing."""
    lost = IdentifierChange.objects.filter(patient_id=duplicate_id, version=version, is_added=False)
    pairs = list(lost.values_list("system", "value"))
    there = (
        PatientIdentifier.objects.filter(identifier_filter(pairs), patient=survivor)
        if pairs
        else ()
    )
    held = [one.pk for one in there]
    return held, len(held) < len(pairs)
