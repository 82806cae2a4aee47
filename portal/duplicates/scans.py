"""Scans for possible duplicates: asked for, carried out by one process at a time, and told of."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import islice
from uuid import UUID

import structlog
from celery import current_app
from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone
from kombu.exceptions import OperationalError as QueueAway

from portal.accounts.models import User
from portal.duplicates.blocking import (
    BLOCKING_KEYS,
    Two,
    candidate_pairs,
    candidate_pairs_of_day,
    find_groups,
    is_too_large,
    people_by_birth_date,
)
from portal.duplicates.worklist import refresh_pairs, save_pairs
from portal.patients.matching.lookup import exclude_dismissed, find_matches
from portal.patients.matching.rules import (
    COMPARED_COLUMNS,
    Match,
    compared_fields_by_id,
    grade_match,
)
from portal.patients.models import DuplicateScan, Patient, PatientEvent, Status

log = structlog.get_logger("portal.patients")
LOCK = 20_261_128  # Any number that nobody else locks.
NUDGE_SECONDS = 10
NOTED_AT_ONCE = 200
SETTLED_SECONDS = 60  # A transaction that wrote the log before has most likely ended by then.

Tell = Callable[[str], None]
Graded = tuple[Two, Match]
_SLICE = 2_000


class ScanRunning(Exception):
    """Another scan is running."""


def request_scan(*, by: User | None) -> DuplicateScan:
    """A scan that the worker will carry out; the one that is on its way already where there is one."""
    scan = DuplicateScan.objects.filter(ended_at=None).first() or DuplicateScan.objects.create(
        by=by
    )
    transaction.on_commit(_nudge)
    return scan


def run_scan(*, by: User | None, tell: Tell | None = None) -> DuplicateScan:
    """Look for pairs in this process; the scan with its figures. Busy while another one is at it."""
    with _alone():
        return _carry_out(DuplicateScan(by=by), tell)


def run_requested_scans() -> int:
    """For the worker: carry out what was asked for or cut off; how many. 0 while another process is at it."""
    count = 0
    if DuplicateScan.objects.filter(ended_at=None).exists():
        try:
            with _alone():
                while scan := DuplicateScan.objects.filter(ended_at=None).order_by("pk").first():
                    _carry_out(scan)
                    count += 1
        except ScanRunning:
            pass
    return count


def _carry_out(scan: DuplicateScan, tell: Tell | None = None) -> DuplicateScan:
    """Who holds the lock knows that a scan which began and did not end was killed: it is done from the start."""
    scan.started_at, scan.step, scan.noted_event = timezone.now(), "", _last_event()
    scan.save()

    def told(step: str) -> None:
        DuplicateScan.objects.filter(pk=scan.pk).update(step=step)
        if tell:
            tell(step)

    try:
        scan.figures = find_pairs(told)
    except BaseException:
        _end(scan, is_cut_off=True)
        raise
    _end(scan)
    log.info("looked_for_duplicates", **scan.figures)
    return scan


def _end(scan: DuplicateScan, *, is_cut_off: bool = False) -> None:
    scan.step, scan.ended_at, scan.is_cut_off = "", timezone.now(), is_cut_off
    scan.save()


def scan_recent_changes(*, settled_seconds: int = SETTLED_SECONDS) -> int:
    """Look around who came or changed since the last scan, the earliest first, some at a time; how many were looked at.

    For the worker, again and again: with an import of many it catches up slowly, or the next scan does.
    A change that is committed late, below the log's number that we got to, is left to the next scan.
    """
    scan = (
        DuplicateScan.objects.exclude(ended_at=None)
        .filter(is_cut_off=False, noted_event__isnull=False)
        .first()
    )
    events = _events_after(scan.noted_event or 0, settled_seconds) if scan else []
    if not scan or not events:
        return 0
    patient_ids = {patient_id for _, patient_id in events}
    try:
        with _alone():
            scan_patients(patient_ids)
            DuplicateScan.objects.filter(pk=scan.pk).update(noted_event=events[-1][0])
    except ScanRunning:
        return 0
    return len(patient_ids)


def _events_after(event_id: int, settled_seconds: int) -> list[tuple[int, UUID]]:
    before = timezone.now() - timedelta(seconds=settled_seconds)
    later = PatientEvent.objects.filter(pk__gt=event_id, pgh_created_at__lt=before).order_by("pk")
    return [*later.values_list("pk", "pgh_obj_id")[:NOTED_AT_ONCE]]


def _last_event() -> int:
    return PatientEvent.objects.aggregate(last=Max("pk"))["last"] or 0


@contextmanager
def _alone() -> Iterator[None]:
    """The session's own lock: it ends with the process, however that ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        [is_ours] = cursor.fetchone()
    if not is_ours:
        raise ScanRunning
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def _nudge() -> None:
    """A lost one does no harm: the beat looks for scans that wait."""
    try:
        current_app.send_task("duplicates.run_scans", expires=NUDGE_SECONDS)
    except (QueueAway, OSError) as error:
        log.warning("scan_waits_for_the_beat", error=type(error).__name__)


def find_pairs(tell: Tell) -> dict[str, int]:
    """Look through all active patients, and bring the list in step; figures of what was compared and found.

    Each slice is a transaction of its own: cut off in the middle, it leaves pairs that are right. Again is safe.
    """
    figures = {"compared": 0, "new": 0, "left_out": 0}
    for key in BLOCKING_KEYS:
        tell(key)
        _keep(_of_groups(key, figures), figures)
    _keep(_of_days(tell), figures)
    tell("what is on the list already")
    figures["taken_off"] = refresh_pairs()
    return figures


def scan_patients(patient_ids: Iterable[UUID]) -> int:
    """Look around these patients alone, a few dozen rows each; how many pairs are new. For a few hundred at most."""
    new = 0
    rows = Patient.objects.filter(pk__in=list(patient_ids), status=Status.ACTIVE).order_by("pk")
    for row in rows.values("pk", *COMPARED_COLUMNS):
        others = find_matches(exclude_dismissed(Patient.objects.all(), row["pk"]), row)
        twos: list[Two] = [
            _in_order(row["pk"], match.patient_id) for match in others if match.grade.is_strong
        ]
        new += save_pairs(_strong(twos))
    refresh_pairs(patient_ids)
    return new


def _keep(twos: Iterator[Two], figures: dict[str, int]) -> None:
    while some := list(islice(twos, _SLICE)):
        figures["compared"] += len(some)
        figures["new"] += save_pairs(_strong(some))


def _of_groups(key: str, figures: dict[str, int]) -> Iterator[Two]:
    for members in find_groups(key):
        figures["left_out"] += is_too_large(members)
        yield from candidate_pairs(members)


def _of_days(tell: Tell) -> Iterator[Two]:
    decade = 0
    for people in people_by_birth_date():
        if (now := people[0]["date_of_birth"].year // 10 * 10) != decade:
            decade = now
            tell(f"family names alike on one day of birth, {decade} to {decade + 9}")
        yield from candidate_pairs_of_day(people)


def _in_order(one: UUID, other: UUID) -> Two:
    return (one, other) if one < other else (other, one)


def _strong(twos: Iterable[Two]) -> list[Graded]:
    """Those of them that the rules take for certain or probable, graded."""
    wanted = list(twos)
    facts = compared_fields_by_id({one for two in wanted for one in two})
    there = [(first, second) for first, second in wanted if first in facts and second in facts]
    graded = [
        ((first, second), grade_match(second, facts[second], new=facts[first]))
        for first, second in there
    ]
    return [(two, match) for two, match in graded if match and match.grade.is_strong]
