"""What a person says of a pair: that these are two people, or that it has to be looked at again."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from portal.accounts.models import User
from portal.errors import Conflict, InvalidInput, NotFound
from portal.patients.audit import record_reading
from portal.patients.matching.rules import MatchGrade, compared_fields_by_id, grade_match
from portal.patients.models import PairState, Patient, PossibleDuplicate, Source

_DECISION = ["state", "decided_by", "decided_at", "reason", "grade", "reasons"]


@transaction.atomic
def dismiss_pair(
    first_id: UUID,
    second_id: UUID,
    *,
    by: User | None,
    reason: str = "",
    channel: str = Source.PORTAL,
) -> PossibleDuplicate:
    """Say that these are two people: the pair leaves the list for good, and no scan brings it back.

    Works also for two who were never found to be alike. The first decision stands: doing it again changes nothing.
    The order of the two does not matter. NotFound if one of them is not there; InvalidInput if they are one record.
    """
    pair = _locked(first_id, second_id)
    if pair.state != PairState.DISMISSED:
        pair.state, pair.decided_by, pair.decided_at = PairState.DISMISSED, by, timezone.now()
        pair.reason = reason.strip()[:200]
        _write(pair, by=by, action="set_apart", channel=channel)
    return pair


@transaction.atomic
def reopen_pair(
    first_id: UUID, second_id: UUID, *, by: User | None, channel: str = Source.PORTAL
) -> PossibleDuplicate:
    """Put a pair that was set apart on the list again; one that is there stays as it is.

    Conflict if little of the two agrees: the next scan would take it off. NotFound, InvalidInput as `set_apart`.
    """
    pair = _locked(first_id, second_id)
    if pair.state == PairState.DISMISSED:
        if not MatchGrade(pair.grade).is_strong:
            raise Conflict(
                "Too little of these two agrees for the list. Open them to compare them."
            )
        pair.state, pair.decided_by, pair.decided_at, pair.reason = PairState.OPEN, None, None, ""
        _write(pair, by=by, action="put_back", channel=channel)
    return pair


def _write(pair: PossibleDuplicate, *, by: User | None, action: str, channel: str) -> None:
    pair.save(update_fields=_DECISION)
    record_reading(by, [pair.first_id, pair.second_id], action=action, channel=channel)


def _locked(one: UUID, other: UUID) -> PossibleDuplicate:
    """The pair for update, graded anew, and made where there was none; both patients stay until we are through."""
    first, second = sorted((one, other))
    if first == second:
        raise InvalidInput("Choose two records: these are one and the same.")
    there = (
        Patient.objects.filter(pk__in=(first, second)).order_by("pk").select_for_update(no_key=True)
    )
    if len(there.values_list("pk")) < len((first, second)):
        raise NotFound("One of these two records is not there any more.")
    grade, reasons = _graded(first, second)
    new = PossibleDuplicate(first_id=first, second_id=second, grade=grade, reasons=reasons)
    PossibleDuplicate.objects.bulk_create([new], ignore_conflicts=True)
    pair = PossibleDuplicate.objects.select_for_update().get(first_id=first, second_id=second)
    pair.grade, pair.reasons = grade, reasons
    return pair


def _graded(first: UUID, second: UUID) -> tuple[MatchGrade, list[str]]:
    facts = compared_fields_by_id([first, second])
    match = grade_match(second, facts[second], new=facts[first])
    return (match.grade, [*match.reasons]) if match else (MatchGrade.POSSIBLE, [])
