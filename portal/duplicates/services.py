"""Decisions on a pair: a user dismisses it, or reopens it."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from portal.accounts.models import User
from portal.errors import Conflict, InvalidInput, NotFound
from portal.patients.audit import record_access
from portal.patients.matching.rules import MatchGrade, compared_fields_by_id, grade_match
from portal.patients.models import PairState, Patient, PossibleDuplicate, Source
from portal.text import clean_entry

_DECISION_COLUMNS = ["state", "decided_by", "decided_at", "reason", "grade", "reasons"]


@transaction.atomic
def dismiss_pair(
    first_id: UUID,
    second_id: UUID,
    *,
    by: User | None,
    reason: str = "",
    channel: str = Source.PORTAL,
) -> PossibleDuplicate:
    """Dismisses a pair: it is two people, leaves the worklist for good, and no scan brings it back.

    The two need not be possible duplicates, and their order does not matter. The first decision
    stands: dismissing a dismissed pair changes nothing. NotFound if one of the records does not
    exist; InvalidInput if they are one record, or for a damaged reason.
    """
    pair = _lock_pair(first_id, second_id)
    if pair.state != PairState.DISMISSED:
        pair.state, pair.decided_by, pair.decided_at = PairState.DISMISSED, by, timezone.now()
        pair.reason = clean_entry(reason, pointer="reason")[:200]
        _save_decision(pair, by=by, action="set_apart", channel=channel)
    return pair


@transaction.atomic
def reopen_pair(
    first_id: UUID, second_id: UUID, *, by: User | None, channel: str = Source.PORTAL
) -> PossibleDuplicate:
    """Puts a dismissed pair on the worklist again; an open pair stays as it is.

    Conflict if the match is not strong: the next scan would take the pair off. NotFound and
    InvalidInput as in `dismiss_pair`.
    """
    pair = _lock_pair(first_id, second_id)
    if pair.state == PairState.DISMISSED:
        if not MatchGrade(pair.grade).is_strong:
            raise Conflict(
                "Too little of these two agrees for the list. Open them to compare them."
            )
        pair.state, pair.decided_by, pair.decided_at, pair.reason = PairState.OPEN, None, None, ""
        _save_decision(pair, by=by, action="put_back", channel=channel)
    return pair


def _lock_pair(first_id: UUID, second_id: UUID) -> PossibleDuplicate:
    """Returns the pair, locked and graded anew; creates it where there is none.

    Neither patient can be deleted until the transaction ends.
    """
    smaller_id, larger_id = sorted((first_id, second_id))
    if smaller_id == larger_id:
        raise InvalidInput("Choose two records: these are one and the same.")
    patients = Patient.objects.filter(pk__in=(smaller_id, larger_id)).order_by("pk")
    if len(patients.select_for_update(no_key=True).values_list("pk")) < 2:
        raise NotFound("One of these two records is not there any more.")
    grade, reasons = _grade_pair(smaller_id, larger_id)
    new = PossibleDuplicate(first_id=smaller_id, second_id=larger_id, grade=grade, reasons=reasons)
    PossibleDuplicate.objects.bulk_create([new], ignore_conflicts=True)
    pairs = PossibleDuplicate.objects.select_for_update()
    pair = pairs.get(first_id=smaller_id, second_id=larger_id)
    pair.grade, pair.reasons = grade, reasons
    return pair


def _grade_pair(first_id: UUID, second_id: UUID) -> tuple[MatchGrade, list[str]]:
    fields = compared_fields_by_id([first_id, second_id])
    match = grade_match(second_id, fields[second_id], new=fields[first_id])
    return (match.grade, [*match.reasons]) if match else (MatchGrade.POSSIBLE, [])


def _save_decision(pair: PossibleDuplicate, *, by: User | None, action: str, channel: str) -> None:
    pair.save(update_fields=_DECISION_COLUMNS)
    record_access(by, [pair.first_id, pair.second_id], action=action, channel=channel)
