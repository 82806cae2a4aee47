"""The list of pairs that somebody has to decide: what scans find goes on it, what no longer fits leaves it."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from portal.patients.matching.lookup import UNIDENTIFIED_REASON
from portal.patients.matching.rules import Match, compared_fields_by_id, grade_match
from portal.patients.models import PairState, Patient, PatientEvent, PossibleDuplicate, Status
from portal.patients.models.log import DELETED

Two = tuple[UUID, UUID]
Graded = tuple[Two, Match]
Said = tuple[int | None, datetime, str]
_SLICE = 1_000
_HOLD = "SELECT id FROM patients_patient WHERE id = ANY(%s::uuid[]) AND status = 'active' ORDER BY id FOR KEY SHARE"


@transaction.atomic
def save_pairs(found: Collection[Graded]) -> int:
    """Put strong matches on the list, each pair with the smaller id first; how many are new there.

    Who set two apart stays right: the pair is kept as it is. So does who registered or edited one of them beside the
    other and said why it is another person: such a pair begins its life set apart.
    """
    active = _hold({one for two, _ in found for one in two})
    wanted = dict(sorted((two, match) for two, match in found if active.issuperset(two)))
    known = _known(wanted)
    _change([pair for two, pair in known.items() if _differs(pair, wanted[two])], wanted)
    new = {two: match for two, match in wanted.items() if two not in known}
    said = _said_at_the_desk(new)
    rows = [_row(two, match, said.get(two)) for two, match in new.items()]
    PossibleDuplicate.objects.bulk_create(rows, ignore_conflicts=True)
    return sum(row.state == PairState.OPEN for row in rows)


def refresh_pairs(patient_ids: Iterable[UUID] | None = None) -> int:
    """Take off the list who no longer match or are not active, and put back who are again; how many left it.

    All pairs, or those of these patients. Who was set apart is not asked after again.
    """
    pairs = PossibleDuplicate.objects.exclude(state=PairState.DISMISSED)
    if patient_ids is not None:
        ids = list(patient_ids)
        pairs = pairs.filter(Q(first__in=ids) | Q(second__in=ids))
    off, last = 0, 0
    while some := [*pairs.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:_SLICE]]:
        off += _review(some)
        last = some[-1]
    return off


def reopen_pairs_of(patient_id: UUID) -> None:
    """The pairs of a patient who is active again: shown at once, and looked at again by the next scan."""
    pairs = PossibleDuplicate.objects.filter(
        Q(first=patient_id) | Q(second=patient_id), state=PairState.GONE
    )
    pairs.update(state=PairState.OPEN)


@transaction.atomic
def _review(pair_ids: Sequence[int]) -> int:
    pairs = [
        *PossibleDuplicate.objects.exclude(state=PairState.DISMISSED)
        .filter(pk__in=pair_ids)
        .order_by("first", "second")
        .select_for_update()
    ]
    ids = {one for pair in pairs for one in (pair.first_id, pair.second_id)}
    active = {
        *Patient.objects.filter(pk__in=ids, status=Status.ACTIVE).values_list("pk", flat=True)
    }
    both = [pair for pair in pairs if active.issuperset((pair.first_id, pair.second_id))]
    gone = [pair.pk for pair in pairs if pair not in both and pair.state == PairState.OPEN]
    matches = _matches(both)
    no_longer = [pair.pk for pair in both if pair.pk not in matches]
    back = [pair.pk for pair in both if pair.pk in matches and pair.state == PairState.GONE]
    PossibleDuplicate.objects.filter(pk__in=gone).update(state=PairState.GONE)
    PossibleDuplicate.objects.filter(pk__in=back).update(state=PairState.OPEN)
    PossibleDuplicate.objects.filter(pk__in=no_longer).delete()
    return len(gone) + len(no_longer)


def _matches(pairs: Iterable[PossibleDuplicate]) -> set[int]:
    twos = {pair.pk: (pair.first_id, pair.second_id) for pair in pairs}
    facts = compared_fields_by_id({one for two in twos.values() for one in two})
    graded = {pk: grade_match(two[1], facts[two[1]], new=facts[two[0]]) for pk, two in twos.items()}
    return {pk for pk, match in graded.items() if match and match.grade.is_strong}


def _hold(patient_ids: Iterable[UUID]) -> set[UUID]:
    """Those of them who are active; until the transaction ends none can be deleted, and all can be changed."""
    with connection.cursor() as cursor:
        cursor.execute(_HOLD, [[str(one) for one in patient_ids]])
        return {UUID(str(one)) for (one,) in cursor}


def _known(twos: Collection[Two]) -> dict[Two, PossibleDuplicate]:
    rows = PossibleDuplicate.objects.filter(first__in={first for first, _ in twos}).order_by(
        "first", "second"
    )
    return {
        (row.first_id, row.second_id): row
        for row in rows.select_for_update()
        if (row.first_id, row.second_id) in twos
    }


def _differs(pair: PossibleDuplicate, match: Match) -> bool:
    is_same = (pair.grade, tuple(pair.reasons)) == (match.grade, match.reasons)
    return pair.state != PairState.DISMISSED and not (is_same and pair.state == PairState.OPEN)


def _change(pairs: list[PossibleDuplicate], matches: dict[Two, Match]) -> None:
    for pair in pairs:
        match = matches[pair.first_id, pair.second_id]
        pair.state, pair.grade, pair.reasons = PairState.OPEN, match.grade, [*match.reasons]
    PossibleDuplicate.objects.bulk_update(pairs, ["state", "grade", "reasons"])


def _row(two: Two, match: Match, said: Said | None) -> PossibleDuplicate:
    row = PossibleDuplicate(
        first_id=two[0], second_id=two[1], grade=match.grade, reasons=[*match.reasons]
    )
    if said:
        row.state = PairState.DISMISSED
        row.decided_by_id, row.decided_at, row.reason = said
    return row


def _said_at_the_desk(twos: Collection[Two]) -> dict[Two, Said]:
    """Of these pairs those where one was registered or edited beside the other, with the reason why these are two.

    Who could not be identified was told apart from nobody.
    """
    ids = {one for two in twos for one in two}
    told = PatientEvent.objects.filter(pgh_obj__in=ids, pgh_context__has_key="similar").exclude(
        pgh_label=DELETED
    )
    said = {}
    for one, context, at in told.order_by("pgh_id").values_list(
        "pgh_obj_id", "pgh_context", "pgh_created_at"
    ):
        for two, reason in _told(one, context):
            if two in twos and reason not in ("", UNIDENTIFIED_REASON):
                said[two] = (context.get("user"), at, reason[:200])
    return said


def _told(new: UUID, context: dict[str, Any]) -> Iterable[tuple[Two, str]]:
    for other in context["similar"]:
        first, second = sorted((new, UUID(other)))
        yield (first, second), context.get("duplicate_reason") or ""
