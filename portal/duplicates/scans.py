"""Scans for possible duplicates: requested by a user or the nightly timer, run by one process."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import islice
from uuid import UUID

import structlog
from django.db.models import Max
from django.utils import timezone

from portal.accounts.models import User
from portal.duplicates.blocking import (
    BLOCKING_KEYS,
    candidate_pairs,
    candidate_pairs_of_day,
    find_groups,
    is_too_large,
    people_by_birth_date,
)
from portal.duplicates.worklist import GradedPair, log_not_compared, refresh_pairs, save_pairs
from portal.errors import ROW_ERRORS
from portal.jobs import Busy, StepListener, advisory_lock, nudge, run_jobs, step_recorder
from portal.patients.matching.lookup import exclude_dismissed, find_matches
from portal.patients.matching.rules import (
    COMPARED_COLUMNS,
    PairIds,
    compared_fields_by_id,
    grade_match,
    pair_ids,
)
from portal.patients.models import DuplicateScan, Patient, PatientEvent, Status

log = structlog.get_logger("portal.duplicates")

SCAN_LOCK = 20_261_128  # No other lock of the portal has this number.
MAX_CHANGES = 200  # changes that are looked at in one run between the scans
# Seconds after which a transaction that took a number of the log has most likely ended.
SETTLED_SECONDS = 60

_BATCH_SIZE = 2_000  # candidate pairs that are compared in one transaction


def request_scan(*, by: User | None) -> DuplicateScan:
    """Returns a scan that the worker will run: the one that waits or runs already, or a new one."""
    scan = DuplicateScan.objects.filter(ended_at=None).first()
    scan = scan or DuplicateScan.objects.create(by=by)
    nudge("duplicates.run_scans")
    return scan


def run_scan(*, by: User | None, on_step: StepListener | None = None) -> DuplicateScan:
    """Scans in this process, and returns the scan with its figures; Busy while another one runs."""
    with advisory_lock(SCAN_LOCK):
        return _run(DuplicateScan(by=by), on_step)


def run_requested_scans() -> int:
    """Runs the scans that were requested or cut off, and returns how many; 0 while another runs."""
    waiting = DuplicateScan.objects.filter(ended_at=None).order_by("pk")
    return run_jobs(waiting, lock=advisory_lock(SCAN_LOCK), run=lambda scan, _: _run(scan))


def _run(scan: DuplicateScan, on_step: StepListener | None = None) -> DuplicateScan:
    """Runs a scan from its start, also one that was cut off."""
    scan.started_at, scan.step, scan.noted_event = timezone.now(), "", _last_event()
    scan.save()
    try:
        scan.figures = find_pairs(step_recorder(scan, on_step))
    except BaseException:
        _end(scan, is_cut_off=True)
        raise
    _end(scan)
    log.info("duplicates_scanned", **scan.figures)
    return scan


def _end(scan: DuplicateScan, *, is_cut_off: bool = False) -> None:
    scan.step, scan.ended_at, scan.is_cut_off = "", timezone.now(), is_cut_off
    scan.save()


def _last_event() -> int:
    return PatientEvent.objects.aggregate(last=Max("pk"))["last"] or 0


def find_pairs(on_step: StepListener) -> dict[str, int]:
    """Looks through all active patients, brings the worklist in step, and returns figures.

    Each batch is a transaction of its own: a scan that is cut off leaves pairs that are right,
    and it can be run again.
    """
    figures = {"compared": 0, "new": 0, "left_out": 0}
    for key in BLOCKING_KEYS:
        on_step(key)
        _save_strong(_pairs_by_key(key, figures), figures)
    _save_strong(_pairs_by_birth_date(on_step), figures)
    on_step("what is on the list already")
    figures["taken_off"] = refresh_pairs()
    return figures


def _pairs_by_key(key: str, figures: dict[str, int]) -> Iterator[PairIds]:
    for members in find_groups(key):
        figures["left_out"] += is_too_large(members)
        yield from candidate_pairs(members)


def _pairs_by_birth_date(on_step: StepListener) -> Iterator[PairIds]:
    decade = None
    for people in people_by_birth_date():
        year = people[0]["date_of_birth"].year
        if year // 10 != decade:
            decade = year // 10
            first = decade * 10
            on_step(f"family names alike on one day of birth, {first} to {first + 9}")
        yield from candidate_pairs_of_day(people)


def _save_strong(pairs: Iterator[PairIds], figures: dict[str, int]) -> None:
    while batch := list(islice(pairs, _BATCH_SIZE)):
        figures["compared"] += len(batch)
        figures["new"] += save_pairs(_strong_matches(batch))


def _strong_matches(pairs: Iterable[PairIds]) -> list[GradedPair]:
    """Grades the pairs, and returns those that are certain or probable."""
    wanted = list(pairs)
    fields = compared_fields_by_id({patient_id for ids in wanted for patient_id in ids})
    graded = []
    for first_id, second_id in wanted:
        if first_id in fields and second_id in fields:
            try:
                match = grade_match(second_id, fields[second_id], new=fields[first_id])
            except ROW_ERRORS as error:
                log_not_compared([first_id, second_id], error)
                continue
            if match and match.grade.is_strong:
                graded.append(((first_id, second_id), match))
    return graded


def scan_recent_changes(*, settled_seconds: int = SETTLED_SECONDS) -> int:
    """Looks around patients who were added or changed since the last scan; returns how many.

    The worker calls it again and again. It takes MAX_CHANGES at a time, the earliest first, and
    catches up slowly after a large import, unless the next scan is first. A change whose
    transaction commits late, after later numbers of the log, is left to the next scan.
    """
    ended = DuplicateScan.objects.exclude(ended_at=None)
    scan = ended.filter(is_cut_off=False, noted_event__isnull=False).first()
    events = _events_after(scan.noted_event or 0, settled_seconds) if scan else []
    if not scan or not events:
        return 0
    last_event, _ = events[-1]
    patient_ids = {patient_id for _, patient_id in events}
    try:
        with advisory_lock(SCAN_LOCK):
            scan_patients(patient_ids)
            DuplicateScan.objects.filter(pk=scan.pk).update(noted_event=last_event)
    except Busy:
        return 0
    return len(patient_ids)


def _events_after(event_id: int, settled_seconds: int) -> list[tuple[int, UUID]]:
    before = timezone.now() - timedelta(seconds=settled_seconds)
    later = PatientEvent.objects.filter(pk__gt=event_id, pgh_created_at__lt=before).order_by("pk")
    return list(later.values_list("pk", "pgh_obj_id")[:MAX_CHANGES])


def scan_patients(patient_ids: Iterable[UUID]) -> int:
    """Looks for pairs of these patients alone, and returns how many are new.

    It compares a few dozen rows for each patient: call it for a few hundred at most.
    """
    ids, new = list(patient_ids), 0
    patients = Patient.objects.filter(pk__in=ids, status=Status.ACTIVE).order_by("pk")
    for row in patients.values("pk", *COMPARED_COLUMNS):
        others = exclude_dismissed(Patient.objects.all(), row["pk"])
        try:
            matches = [match for match in find_matches(others, row) if match.grade.is_strong]
        except ROW_ERRORS as error:  # Else the changes behind this one would wait for ever.
            log_not_compared([row["pk"]], error)
            continue
        pairs = [pair_ids(row["pk"], match.patient_id) for match in matches]
        new += save_pairs(_strong_matches(pairs))
    refresh_pairs(ids)
    return new
