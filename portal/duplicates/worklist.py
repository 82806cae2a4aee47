"""The worklist: pairs that a user has to decide.

Scans add pairs to it; pairs that no longer match leave it.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.db.models import Q

from portal.accounts.models import User
from portal.errors import ROW_ERRORS
from portal.patients.matching.refusal import UNIDENTIFIED_REASON
from portal.patients.matching.rules import (
    Match,
    PairIds,
    compared_fields_by_id,
    grade_match,
    pair_ids,
)
from portal.patients.models import PairState, Patient, PatientEvent, PossibleDuplicate, Status
from portal.patients.models.log import DELETED

log = structlog.get_logger("portal.duplicates")
GradedPair = tuple[PairIds, Match]

_BATCH_SIZE = 1_000  # pairs that are reviewed in one transaction
_HOLD_ACTIVE = """
    SELECT id FROM patients_patient WHERE id = ANY(%s::uuid[]) AND status = 'active'
    ORDER BY id FOR KEY SHARE
"""


class _Override(NamedTuple):
    """A decision from the log: a user registered or changed one patient in spite of the other."""

    user_id: int | None
    decided_at: datetime
    reason: str


@transaction.atomic
def save_pairs(graded: Collection[GradedPair]) -> int:
    """Puts strong matches on the worklist, and returns how many pairs are new there.

    A dismissed pair stays as it is. A pair that is new begins as dismissed if one of the two was
    registered or changed beside the other with an override reason.
    """
    active = _hold_active({patient_id for ids, _ in graded for patient_id in ids})
    matches = {ids: match for ids, match in sorted(graded, key=_ids_of) if active.issuperset(ids)}
    known = _lock_known(matches)
    _update_pairs([pair for ids, pair in known.items() if _is_stale(pair, matches[ids])], matches)
    new = {ids: match for ids, match in matches.items() if ids not in known}
    overrides = _find_overrides(new)
    rows = [_new_row(ids, match, overrides.get(ids)) for ids, match in new.items()]
    PossibleDuplicate.objects.bulk_create(rows, ignore_conflicts=True)
    return sum(row.state == PairState.OPEN for row in rows)


def _ids_of(graded: GradedPair) -> PairIds:
    return graded[0]


def _hold_active(patient_ids: Iterable[UUID]) -> set[UUID]:
    """Returns the active ones; until the transaction ends they can be changed, not deleted."""
    with connection.cursor() as cursor:
        cursor.execute(_HOLD_ACTIVE, [[str(patient_id) for patient_id in patient_ids]])
        return {UUID(str(patient_id)) for (patient_id,) in cursor}


def _lock_known(wanted: Collection[PairIds]) -> dict[PairIds, PossibleDuplicate]:
    first_ids = {first_id for first_id, _ in wanted}
    rows = PossibleDuplicate.objects.filter(first__in=first_ids).order_by("first", "second")
    known = {(row.first_id, row.second_id): row for row in rows.select_for_update()}
    return {ids: row for ids, row in known.items() if ids in wanted}


def _is_stale(pair: PossibleDuplicate, match: Match) -> bool:
    if pair.state == PairState.DISMISSED:
        return False
    is_same = (pair.grade, tuple(pair.reasons)) == (match.grade, match.reasons)
    return pair.state != PairState.OPEN or not is_same


def _update_pairs(pairs: list[PossibleDuplicate], matches: dict[PairIds, Match]) -> None:
    for pair in pairs:
        match = matches[pair.first_id, pair.second_id]
        pair.state, pair.grade, pair.reasons = PairState.OPEN, match.grade, [*match.reasons]
    PossibleDuplicate.objects.bulk_update(pairs, ["state", "grade", "reasons"])


def _new_row(ids: PairIds, match: Match, override: _Override | None) -> PossibleDuplicate:
    first_id, second_id = ids
    row = PossibleDuplicate(
        first_id=first_id, second_id=second_id, grade=match.grade, reasons=[*match.reasons]
    )
    if override:
        row.state = PairState.DISMISSED
        row.decided_by_id, row.decided_at, row.reason = override
    return row


def _find_overrides(wanted: Collection[PairIds]) -> dict[PairIds, _Override]:
    """Returns the override, the latest one, of each of these pairs that has one.

    That a person could not be identified says nothing about who it is.
    """
    patient_ids = {patient_id for ids in wanted for patient_id in ids}
    events = PatientEvent.objects.filter(pgh_obj__in=patient_ids, pgh_context__has_key="similar")
    rows = events.exclude(pgh_label=DELETED).order_by("pgh_id")
    overrides = {}
    for patient_id, context, at in rows.values_list("pgh_obj_id", "pgh_context", "pgh_created_at"):
        reason = context.get("duplicate_reason") or ""
        if reason in ("", UNIDENTIFIED_REASON):
            continue
        for other_id in context.get("similar") or ():
            ids = pair_ids(patient_id, UUID(other_id))
            if ids in wanted:
                overrides[ids] = _Override(context.get("user"), at, reason[:200])
    return _with_known_users(overrides)


def _with_known_users(overrides: dict[PairIds, _Override]) -> dict[PairIds, _Override]:
    """Returns the decisions without the users whom SQL has deleted since: no row can name them."""
    wanted = [override.user_id for override in overrides.values() if override.user_id is not None]
    known = set(User.objects.filter(pk__in=wanted).values_list("pk", flat=True))
    return {
        ids: override if override.user_id in known else override._replace(user_id=None)
        for ids, override in overrides.items()
    }


def refresh_pairs(patient_ids: Iterable[UUID] | None = None) -> int:
    """Brings pairs in step with the records, and returns how many left the worklist.

    Pairs leave that no longer match or have a patient who is not active; pairs of patients who
    are active again come back. Without `patient_ids` all pairs are looked at, but for dismissed
    ones, which stay as they are.
    """
    pairs = PossibleDuplicate.objects.exclude(state=PairState.DISMISSED)
    if patient_ids is not None:
        ids = list(patient_ids)
        pairs = pairs.filter(Q(first__in=ids) | Q(second__in=ids))
    removed, last_id = 0, 0
    while batch := _ids_after(pairs.values_list("pk", flat=True), last_id):
        removed += _refresh_batch(batch)
        last_id = batch[-1]
    return removed


def _ids_after(pair_ids: Any, last_id: int) -> list[int]:
    return list(pair_ids.filter(pk__gt=last_id).order_by("pk")[:_BATCH_SIZE])


@transaction.atomic
def _refresh_batch(row_ids: Sequence[int]) -> int:
    undecided = PossibleDuplicate.objects.exclude(state=PairState.DISMISSED)
    locked = undecided.filter(pk__in=row_ids).order_by("first", "second").select_for_update()
    pairs = list(locked)
    patient_ids = {patient_id for pair in pairs for patient_id in (pair.first_id, pair.second_id)}
    patients = Patient.objects.filter(pk__in=patient_ids, status=Status.ACTIVE)
    active_ids = set(patients.values_list("pk", flat=True))
    matching = _still_matching(pairs, active_ids)
    inactive, back, no_longer = [], [], []
    for pair in pairs:
        if not active_ids.issuperset((pair.first_id, pair.second_id)):
            if pair.state == PairState.OPEN:
                inactive.append(pair.pk)
        elif pair.pk not in matching:
            no_longer.append(pair.pk)
        elif pair.state == PairState.GONE:
            back.append(pair.pk)
    PossibleDuplicate.objects.filter(pk__in=inactive).update(state=PairState.GONE)
    PossibleDuplicate.objects.filter(pk__in=back).update(state=PairState.OPEN)
    PossibleDuplicate.objects.filter(pk__in=no_longer).delete()
    return len(inactive) + len(no_longer)


def _still_matching(pairs: Iterable[PossibleDuplicate], active_ids: set[UUID]) -> set[int]:
    """Returns the keys of the pairs of active patients that still match strongly."""
    fields = compared_fields_by_id(active_ids)
    matching = set()
    for pair in pairs:
        if pair.first_id in fields and pair.second_id in fields:
            new = fields[pair.first_id]
            try:
                match = grade_match(pair.second_id, fields[pair.second_id], new=new)
            except ROW_ERRORS as error:
                log_not_compared([pair.first_id, pair.second_id], error)
                matching.add(pair.pk)  # It stays as it is: nobody knows better.
                continue
            if match and match.grade.is_strong:
                matching.add(pair.pk)
    return matching


def log_not_compared(patient_ids: Sequence[UUID], error: Exception) -> None:
    """Tells operators of records that the rules cannot take; the scan goes on without them."""
    ids = [str(patient_id) for patient_id in patient_ids]
    log.error("records_not_compared", patient_ids=ids, error=type(error).__name__)


def reopen_pairs_of(patient_id: UUID) -> None:
    """Shows the pairs of a patient who is active again; the next scan looks at them anew."""
    pairs = PossibleDuplicate.objects.filter(
        Q(first=patient_id) | Q(second=patient_id), state=PairState.GONE
    )
    pairs.update(state=PairState.OPEN)
