"""Which pairs a user may see: the worklist, dismissed pairs, those of one patient, and scans."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet

from portal.accounts.models import User
from portal.errors import NotAllowed, NotFound
from portal.pagination import Page, bad_cursor, decode_cursor, encode_cursor, page_of, row_id
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
MAX_COUNTED = 1_000  # pairs or changes; a page shows "more than" for a higher count
PAGE_SIZE = 25  # pairs
_MAX_REASONS = 99  # reasons of a pair that a cursor may name


@dataclass(frozen=True)
class PairSide:
    """One record of a pair; `differing` names what both records have and differ in."""

    patient: Patient
    differing: frozenset[str]


@dataclass(frozen=True)
class ComparedPair:
    """A pair with both records side by side."""

    pair: PossibleDuplicate
    sides: tuple[PairSide, PairSide]


def pairs_visible_to(user: User | None) -> QuerySet[PossibleDuplicate]:
    """Returns the pairs that this user may see; None stands for the clinic's own commands."""
    if user is not None and not user.has_perm(MERGE_PERMISSION):
        raise NotAllowed("Ask an operator for the right to compare and merge records.")
    return PossibleDuplicate.objects.all()


def get_pair(user: User | None, pair_id: int) -> PossibleDuplicate:
    """Returns the pair; NotFound if it does not exist, or no longer."""
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
    limit: int = PAGE_SIZE,
) -> Page[ComparedPair]:
    """Returns a page of the worklist: certain pairs first, then those with most reasons, then new.

    That the user sees both patients is recorded.
    """
    pairs = _open_pairs(user, grade, patient_id).annotate(agreeing=AGREEING)
    if after:
        last_grade, agreeing, last_id = _decode_open_cursor(after)
        is_less = Q(agreeing__lt=agreeing) | Q(agreeing=agreeing, pk__lt=last_id)
        is_later = Q(grade__gt=last_grade) | Q(is_less, grade=last_grade)
        pairs = pairs.filter(is_later, grade__gte=last_grade)
    ordered = pairs.order_by("grade", "-agreeing", "-pk")
    page = page_of(ordered, limit=limit, cursor=_encode_open_cursor)
    return page.with_rows(_compared(user, page.rows))


def _encode_open_cursor(pair: PossibleDuplicate) -> str:
    return f"{pair.grade}.{len(pair.reasons)}.{pair.pk}"


def _decode_open_cursor(cursor: str) -> tuple[str, int, int]:
    grade, *numbers = cursor.split(".")
    try:
        agreeing, last_id = map(row_id, numbers)
    except ValueError as error:
        raise bad_cursor() from error
    if grade not in [*map(str, MatchGrade)] or agreeing > _MAX_REASONS:
        raise bad_cursor()
    return grade, agreeing, last_id


def list_dismissed_pairs(
    user: User | None, *, after: str = "", limit: int = PAGE_SIZE
) -> Page[ComparedPair]:
    """Returns a page of dismissed pairs, the last decision first.

    That the user sees both patients is recorded.
    """
    pairs = pairs_visible_to(user).filter(state=PairState.DISMISSED).select_related("decided_by")
    if after:
        at, last_id = decode_cursor(after, key=row_id)
        is_later = Q(decided_at__lt=at) | Q(decided_at=at, pk__lt=last_id)
        pairs = pairs.filter(is_later, decided_at__lte=at)
    ordered = pairs.order_by("-decided_at", "-pk")
    page = page_of(ordered, limit=limit, cursor=_encode_dismissed_cursor)
    return page.with_rows(_compared(user, page.rows))


def _encode_dismissed_cursor(pair: PossibleDuplicate) -> str:
    return encode_cursor(pair.decided_at, pair.pk) if pair.decided_at else ""


def count_open_pairs(user: User | None, *, grade: str = "", patient_id: UUID | None = None) -> int:
    """Returns how many pairs wait for a decision; MAX_COUNTED + 1 stands for more than that."""
    return _open_pairs(user, grade, patient_id).order_by()[: MAX_COUNTED + 1].count()


def duplicates_notice(user: User, patient: Patient) -> Notice | None:
    """Returns the notice of possible duplicates of a patient; it names no other patient."""
    if patient.status != Status.ACTIVE or not user.has_perm(MERGE_PERMISSION):
        return None
    pairs = _open_pairs(user, "", patient.pk).order_by("grade", "-pk")
    others = [
        second_id if first_id == patient.pk else first_id
        for first_id, second_id in pairs.values_list("first_id", "second_id")
    ]
    return Notice("duplicates/notice.html", {"others": others}) if others else None


def _open_pairs(
    user: User | None, grade: str, patient_id: UUID | None
) -> QuerySet[PossibleDuplicate]:
    """Returns open pairs of active patients: an archived one is hidden before the next scan."""
    pairs = pairs_visible_to(user).filter(
        state=PairState.OPEN, first__status=Status.ACTIVE, second__status=Status.ACTIVE
    )
    if grade:
        pairs = pairs.filter(grade=grade)
    return pairs.filter(Q(first=patient_id) | Q(second=patient_id)) if patient_id else pairs


def _compared(user: User | None, pairs: Iterable[PossibleDuplicate]) -> list[ComparedPair]:
    """Returns the pairs both of whose patients the user may see."""
    rows = list(pairs)
    patient_ids = {patient_id for pair in rows for patient_id in (pair.first_id, pair.second_id)}
    patients = patients_by_id(user, patient_ids, channel=Source.PORTAL)
    compared = []
    for pair in rows:
        first, second = patients.get(pair.first_id), patients.get(pair.second_id)
        if first and second:
            compared.append(ComparedPair(pair, _sides(first, second)))
    return compared


def _sides(first: Patient, second: Patient) -> tuple[PairSide, PairSide]:
    first_parts, second_parts = _comparable_parts(first), _comparable_parts(second)
    differing = frozenset(
        name
        for name, value in first_parts.items()
        if value and second_parts[name] not in ("", value)
    )
    return PairSide(first, differing), PairSide(second, differing)


def _comparable_parts(patient: Patient) -> dict[str, str]:
    """Returns what the page compares, normalised; empty means not known."""
    born = patient.date_of_birth
    return {
        "name": fold(patient.full_name),
        "born": f"{born} {patient.date_of_birth_precision}" if born else "",
        "sex": "" if patient.sex == "unknown" else patient.sex,
        "phone": patient.phone_e164 or "".join(filter(str.isdigit, patient.phone)),
        "postal_code": fold(patient.postal_code).replace(" ", ""),
    }


@dataclass(frozen=True)
class ScanStatus:
    """The scan that waits or runs, the last one that was completed, and the changes since then.

    `changed` goes up to MAX_COUNTED + 1.
    """

    current: DuplicateScan | None
    last: DuplicateScan | None
    has_failed: bool
    changed: int


def scan_status() -> ScanStatus:
    """Returns the state of scans for the page."""
    current = DuplicateScan.objects.filter(ended_at=None).first()
    ended = DuplicateScan.objects.exclude(ended_at=None)
    last, latest = ended.filter(is_cut_off=False).first(), ended.first()
    has_failed = latest is not None and latest.is_cut_off and current is None
    return ScanStatus(current, last, has_failed, _count_changes_since(last) if last else 0)


def _count_changes_since(scan: DuplicateScan) -> int:
    events = PatientEvent.objects.filter(pk__gt=scan.noted_event or 0)
    return events.order_by()[: MAX_COUNTED + 1].count()
