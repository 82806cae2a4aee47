"""What may be read of the pairs, and by whom: pages of the list, of those set apart, and those of one patient."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet

from portal.accounts.models import User
from portal.errors import NotAllowed, NotFound
from portal.pagination import bad_cursor, decode_cursor, encode_cursor, row_id
from portal.patients.extensions import Notice
from portal.patients.matching.rules import MatchGrade
from portal.patients.models import (
    AGREEING,
    DuplicateScan,
    PairState,
    Patient,
    PatientEvent,
    PossibleDuplicate,
    Source,
    Status,
)
from portal.patients.normalize import fold
from portal.patients.selectors import patients_by_id

MERGE_PERMISSION = "patients.merge_patient"
MAX_COUNTED = 1_000  # Whoever has more to do than that need not know how many.


@dataclass(frozen=True)
class Side:
    """One record of a pair; `differing` names what both know and what is not the same."""

    patient: Patient
    differing: frozenset[str]


@dataclass(frozen=True)
class ShownPair:
    pair: PossibleDuplicate
    sides: tuple[Side, Side]


@dataclass(frozen=True)
class PairPage:
    """Some pairs, and the cursor that the next page starts behind; empty on the last."""

    pairs: list[ShownPair]
    next_cursor: str


def pairs_visible_to(user: User | None) -> QuerySet[PossibleDuplicate]:
    """Pairs that this user may see; None stands for the clinic's own commands."""
    if user is not None and not user.has_perm(MERGE_PERMISSION):
        raise NotAllowed("Ask an operator for the right to compare and merge records.")
    return PossibleDuplicate.objects.all()


def get_pair(user: User | None, pair_id: int) -> PossibleDuplicate:
    """One pair; NotFound if it is not there, or no longer."""
    pair = pairs_visible_to(user).filter(pk=pair_id).first()
    if pair is None:
        raise NotFound("This pair is not on the list any more. Go back to Duplicates.")
    return pair


def list_open_pairs(
    user: User | None,
    *,
    grade: str = "",
    patient_id: UUID | None = None,
    after: str = "",
    limit: int = 25,
) -> PairPage:
    """A page of the list, certain ones first, then those that agree in most, then the newest; both sides are read."""
    pairs = _waiting(user, grade, patient_id).annotate(agreeing=AGREEING)
    if after:
        last_grade, agreeing, last = _place(after)
        less = Q(agreeing__lt=agreeing) | Q(agreeing=agreeing, pk__lt=last)
        pairs = pairs.filter(
            Q(grade__gt=last_grade) | Q(less, grade=last_grade), grade__gte=last_grade
        )
    found = [*pairs.order_by("grade", "-agreeing", "-pk")[: limit + 1]]
    return PairPage(
        _shown(user, found[:limit]), _cursor(found[limit - 1]) if len(found) > limit else ""
    )


def list_dismissed_pairs(user: User | None, *, after: str = "", limit: int = 25) -> PairPage:
    """A page of those whom somebody took for two people, the last decision first; both patients of each are read."""
    pairs = pairs_visible_to(user).filter(state=PairState.DISMISSED).select_related("decided_by")
    if after:
        at, last = decode_cursor(after, key=row_id)
        pairs = pairs.filter(
            Q(decided_at__lt=at) | Q(decided_at=at, pk__lt=last), decided_at__lte=at
        )
    found = [*pairs.order_by("-decided_at", "-pk")[: limit + 1]]
    end = found[limit - 1] if len(found) > limit else None
    cursor = encode_cursor(end.decided_at, end.pk) if end and end.decided_at else ""
    return PairPage(_shown(user, found[:limit]), cursor)


def count_open_pairs(user: User | None, *, grade: str = "", patient_id: UUID | None = None) -> int:
    """How many wait for a decision; MOST_COUNTED + 1 stands for more than that."""
    return _waiting(user, grade, patient_id).order_by()[: MAX_COUNTED + 1].count()


def duplicates_notice(user: User, patient: Patient) -> Notice | None:
    """The other records that may be this patient's, as they wait on the list; nobody is read."""
    if patient.status != Status.ACTIVE or not user.has_perm(MERGE_PERMISSION):
        return None
    pairs = _waiting(user, "", patient.pk).order_by("grade", "-pk")
    others = [
        second if first == patient.pk else first
        for first, second in pairs.values_list("first_id", "second_id")
    ]
    return Notice("duplicates/notice.html", {"others": others}) if others else None


@dataclass(frozen=True)
class ScanStatus:
    """The scan that is asked for or at work, the last one that came to its end, and the changes since."""

    current: DuplicateScan | None
    last: DuplicateScan | None
    has_failed: bool
    changed: int


def scan_status() -> ScanStatus:
    """For the page. `changed` counts changes of patients that wait to be looked at, to MOST_COUNTED + 1."""
    current = DuplicateScan.objects.filter(ended_at=None).first()
    ended = DuplicateScan.objects.exclude(ended_at=None)
    last, latest = ended.filter(is_cut_off=False).first(), ended.first()
    has_failed = latest is not None and latest.is_cut_off and current is None
    return ScanStatus(current, last, has_failed, _not_looked_at(last) if last else 0)


def _not_looked_at(scan: DuplicateScan) -> int:
    return (
        PatientEvent.objects.filter(pk__gt=scan.noted_event or 0)
        .order_by()[: MAX_COUNTED + 1]
        .count()
    )


def _waiting(user: User | None, grade: str, patient_id: UUID | None) -> QuerySet[PossibleDuplicate]:
    """Hidden is at once who was archived or merged: the next scan only tidies up."""
    pairs = pairs_visible_to(user).filter(
        state=PairState.OPEN, first__status=Status.ACTIVE, second__status=Status.ACTIVE
    )
    if grade:
        pairs = pairs.filter(grade=grade)
    return pairs.filter(Q(first=patient_id) | Q(second=patient_id)) if patient_id else pairs


def _shown(user: User | None, pairs: Iterable[PossibleDuplicate]) -> list[ShownPair]:
    some = [*pairs]
    patients = patients_by_id(
        user,
        {one for pair in some for one in (pair.first_id, pair.second_id)},
        channel=Source.PORTAL,
    )
    both = [(pair, patients.get(pair.first_id), patients.get(pair.second_id)) for pair in some]
    return [
        ShownPair(pair, _sides(first, second)) for pair, first, second in both if first and second
    ]


def _sides(first: Patient, second: Patient) -> tuple[Side, Side]:
    parts = [_parts(first), _parts(second)]
    differing = frozenset(
        name for name, value in parts[0].items() if value and parts[1][name] not in ("", value)
    )
    return Side(first, differing), Side(second, differing)


def _parts(patient: Patient) -> dict[str, str]:
    """What is compared by the eye, as it counts: spelling in small letters and the like make no difference."""
    return {
        "name": fold(patient.full_name),
        "born": f"{patient.date_of_birth} {patient.date_of_birth_precision}"
        if patient.date_of_birth
        else "",
        "sex": "" if patient.sex == "unknown" else patient.sex,
        "phone": patient.phone_e164 or "".join(c for c in patient.phone if c.isdigit()),
        "postal_code": fold(patient.postal_code).replace(" ", ""),
    }


def _cursor(pair: PossibleDuplicate) -> str:
    return f"{pair.grade}.{len(pair.reasons)}.{pair.pk}"


def _place(cursor: str) -> tuple[str, int, int]:
    grade, *numbers = cursor.split(".")
    are_numbers = len(numbers) == 2 and all(
        one.isascii() and one.isdigit() and len(one) < 19 for one in numbers
    )
    if grade not in [*map(str, MatchGrade)] or not are_numbers or int(numbers[0]) > 99:
        raise bad_cursor()
    return grade, int(numbers[0]), int(numbers[1])
