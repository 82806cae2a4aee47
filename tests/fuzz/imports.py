"""Imports one file as a user does, a trial first, and checks what the imports promise."""

import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import connection, transaction

from portal.errors import PortalError
from portal.imports import services
from portal.imports.forms.columns import ColumnsForm
from portal.imports.models import DuplicatePolicy, ImportJob, JobStatus, Outcome
from portal.imports.pipeline import runner
from portal.imports.readers import Row, open_patients
from portal.imports.report import Tally, import_report, report_text
from portal.imports.row_files import RejectsFile, RemarksFile
from portal.imports.table_setup import set_columns, suggested_setup
from portal.patients.models import Patient, PatientEvent
from tests.fuzz.clinic import record_state
from tests.fuzz.drawn_file import MARK, DrawnFile
from tests.fuzz.watch import Fault, watched

REFUSED, BROKEN_OFF, DONE = "refused as a whole", "broken off", "imported"


@dataclass(frozen=True)
class Way:
    """How a file comes in: `asks` as an upload whose columns a user sets; and rows in a batch."""

    asks: bool
    trial_batch: int
    import_batch: int


def import_checked(file: DrawnFile, way: Way) -> Counter[str]:
    """Imports the file, and takes all back; returns what became of it and of its rows.

    Fault, or whatever the portal raises, if a promise is broken.
    """
    with transaction.atomic():
        try:
            return _import(file, way)
        finally:
            for path in _stored_files():
                path.unlink()
            transaction.set_rollback(True)


def _import(file: DrawnFile, way: Way) -> Counter[str]:
    may_quote = MARK.encode() in file.content.split(b"\n")[0] or MARK.encode()[1:] in (
        file.content[:200].replace(b"\0", b"")
    )
    with watched(may_quote=may_quote or file.rows is None):
        before = state_of_clinic()
        try:
            trial = _run_trial(file, way)
        except PortalError as error:
            _require(error.detail, "A refusal says nothing")
            _require(MARK not in error.detail, "A refusal quotes a value", error.detail)
            _require(not _stored_files() or way.asks, "A refused file is left behind")
            _require(not file.rows, f"A good file is refused: {error.detail}")
            return Counter({REFUSED: 1})
        _require(record_state() == before, "A trial has changed patients")
        real = _run_import(trial, way)
        told, done = Kept(trial), Kept(real)
        for kept in (told, done):
            _check_job(kept, file)
        _check_written(done, file, before)
        _check_agreement(told, done)
        _check_report(real)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    outcomes = {f"rows {outcome}": getattr(real, f"{outcome}_count") for outcome in Outcome.values}
    return Counter({DONE if real.status == JobStatus.DONE else BROKEN_OFF: 1, **outcomes})


def _run_trial(file: DrawnFile, way: Way) -> ImportJob:
    uploaded = ContentFile(file.content, "people.csv")
    if way.asks:
        trial = services.start_dry_run(uploaded, by=None)
        if trial.status == JobStatus.MAPPING:
            setup = suggested_setup(trial)
            facts = trial.column_facts
            form = ColumnsForm(header=trial.header, mapping=setup.mapping, facts=facts)
            trial = set_columns(trial.pk, form.mapping, values=form.values)
    else:
        trial = services.start_import(uploaded, by=None, dry_run=True)
    return _run(trial, way.trial_batch)


def _run_import(trial: ImportJob, way: Way) -> ImportJob:
    """Imports the trial's file; also if the trial broke off, as the import has to do then."""
    if trial.status == JobStatus.DONE:
        policy = trial.likely or DuplicatePolicy.REGISTER
        job = services.apply_dry_run(trial.pk, by=None, duplicate_policy=policy)
    else:
        content = ContentFile(trial.path.read_bytes(), "people.csv")
        job = services.start_import(content, by=None, dry_run_job=trial)
    return _run(job, way.import_batch)


def _run(job: ImportJob, batch: int) -> ImportJob:
    usual, runner.BATCH = runner.BATCH, batch
    try:
        services.run_job(job.pk)
    finally:
        runner.BATCH = usual
    job.refresh_from_db()
    return job


class Kept:
    """What a job has kept of its rows."""

    def __init__(self, job: ImportJob) -> None:
        self.job = job
        self.rejects = list(job.rejects.values()) if job.rejected_count else []
        self.remarks = list(job.remarks.values())
        self.rows = [] if job.dry_run else list(job.imported_rows.values())

    def ids(self, outcome: Outcome) -> dict[UUID, int]:
        """Returns the patients of the rows with this outcome, and those rows."""
        rows = [row for row in self.rows if row["outcome"] == outcome]
        return {row["patient_id"]: row["row_number"] for row in rows}


def _check_job(kept: Kept, file: DrawnFile) -> None:
    """Every row has an outcome, and a refused one a reason."""
    job = kept.job
    if job.status == JobStatus.FAILED:
        _require(job.message, "A broken-off import says nothing")
        _require(MARK not in job.message, "A message quotes a value", job.message)
        _require(not file.rows, f"A good file breaks off: {job.message}")
    else:
        _require(job.status == JobStatus.DONE, "A job has not ended", job.status)
    _require(len(kept.rejects) == job.rejected_count, "Refused rows are not kept")
    for reject in kept.rejects:
        reasons = [reject["reason"], *(problem["reason"] for problem in reject["problems"])]
        _require(all(reasons) and len(reasons) > 1, "A refused row has no reason")
    if job.status == JobStatus.DONE:
        if file.rows is not None:
            told = f"{job.rows_read} of {file.rows}"
            _require(job.rows_read == file.rows, "Rows are missing", told)
        if job.path.exists():
            _check_rows(job)


def _check_rows(job: ImportJob) -> None:
    """Reads the file anew: numbers and places go up, and each row was told."""
    rows = list(open_patients(job.path, job.mapping, **job.reading).rows())
    _require(len(rows) == job.rows_read, "A row is untold", f"{job.rows_read} of {len(rows)}")
    for row, following in pairwise(rows):
        _require(row.number < following.number, "The numbers of rows do not go up")
        _require(row.end <= following.end, "The place in the file goes back")
    if rows and job.last_row:
        middle = rows[len(rows) // 2].number
        rest = open_patients(job.path, job.mapping, **job.reading).rows(after=middle)
        ahead = [row for row in rows if row.number > middle]
        _require([*map(_said, rest)] == [*map(_said, ahead)], "Reading on gives other rows")


def _said(row: Row) -> tuple[Any, ...]:
    return (
        row.number,
        row.end,
        row.raw,
        row.details,
        row.problems,
        dict(row.parts_left_out),
        row.merged,
    )


def _check_written(kept: Kept, file: DrawnFile, before: dict[UUID, Any]) -> None:
    """The patients are as the counts say, and nobody else has changed."""
    job = kept.job
    numbers = [row["row_number"] for row in [*kept.rows, *kept.rejects]]
    _require(len(set(numbers)) == len(numbers), "A row has two outcomes")
    unnamed = job.rows_read - len(numbers)
    _require(0 <= unnamed <= job.duplicate_count, "A row has no outcome", str(unnamed))
    counted = Counter(row["outcome"] for row in kept.rows)
    for outcome in (Outcome.NEW, Outcome.UPDATED, Outcome.UNCHANGED):
        count = getattr(job, f"{outcome}_count")
        _require(counted[outcome] == count, "A count is wrong", f"{outcome}: {count}")
    made = kept.ids(Outcome.NEW)
    written = made.keys() | kept.ids(Outcome.UPDATED).keys()
    after = record_state()
    changed = {patient_id for patient_id in after if after[patient_id] != before.get(patient_id)}
    _require(after.keys() - before.keys() == made.keys(), "Other patients were made than told")
    _require(changed == written, "Other patients were changed than told")
    if not written:
        return
    logged = PatientEvent.objects.filter(pgh_context__import_job=str(job.pk))
    logged_ids = set(logged.values_list("pgh_obj_id", flat=True))
    versions = {pk for pk in changed if after[pk][:2] != before.get(pk, (0,))[:2]}
    # A change of identifiers alone makes no version.
    _require(logged_ids == versions, "The log has other patients than were written")
    families = Patient.objects.filter(pk__in=made).values_list("pk", "family_name")
    for patient_id, family in families if file.names else []:
        name = re.match(rf"{MARK}[a-j]+", file.names.get(made[patient_id], ""))
        is_right = name is None or family.startswith(name[0])
        _require(is_right, "A row has made another person", f"row {made[patient_id]}")


def _check_agreement(trial: Kept, real: Kept) -> None:
    """The trial has told what the import did."""
    told, done = trial.job, real.job
    _require(told.status == done.status, "Trial and import end otherwise", done.status)
    _require(told.message == done.message, "Trial and import fail otherwise", done.message)
    if told.status != JobStatus.DONE:
        return
    for outcome in Outcome.values:
        counts = [getattr(job, f"{outcome}_count") for job in (told, done)]
        _require(counts[0] == counts[1], "Trial and import count otherwise", f"{outcome} {counts}")
    _require(told.alike_count == done.alike_count, "Trial and import see other likenesses")
    labels = _labels(real)
    _require(_rejects(trial, {}) == _rejects(real, labels), "Trial and import refuse otherwise")
    _require(_remarks(trial, {}) == _remarks(real, labels), "Trial and import remark otherwise")


def _rejects(kept: Kept, labels: dict[str, str]) -> list[Any]:
    return [
        (
            reject["row_number"],
            reject["column"],
            reject["value"],
            _neutral(reject["reason"], labels),
            reject["raw"],
        )
        for reject in kept.rejects
    ]


def _remarks(kept: Kept, labels: dict[str, str]) -> list[Any]:
    names = ("row_number", "kind", "field", "old", "new", "reason")
    return sorted(
        [
            *(remark[name] for name in names),
            _neutral(remark["patient_label"], labels),
        ]
        for remark in kept.remarks
    )


def _labels(kept: Kept) -> dict[str, str]:
    """Returns, for the MRN of each patient whom the import made, what a trial calls it."""
    rows = kept.ids(Outcome.NEW)
    if not rows or not (kept.rejects or kept.remarks):
        return {}
    mrns = Patient.objects.filter(pk__in=rows).values_list("pk", "mrn")
    return {f"MRN {mrn}": f"the patient of row {rows[patient_id]}" for patient_id, mrn in mrns}


def _neutral(text: str, labels: dict[str, str]) -> str:
    return re.sub(r"MRN \d+", lambda found: labels.get(found[0], found[0]), text)


def _check_report(job: ImportJob) -> None:
    """The files about rows can be written, and the report quotes nobody; it is printed."""
    folder = Path(settings.DATA_DIR)
    tally = Tally(RejectsFile(None, job.header), RemarksFile(None))
    report = import_report(
        job, tally, rejects=folder / "rejects.csv", remarks=folder / "changes.csv"
    )
    more = {"file": "people", "dryRun": False, "job": str(job.pk), "ignoredColumns": []}
    print(report_text({**report, **more}, colour=False))


@cache
def state_of_clinic() -> dict[UUID, Any]:
    """Returns what the people on record are before an import: each one is taken back."""
    return record_state()


def _stored_files() -> list[Path]:
    with suppress(FileNotFoundError):
        return list((Path(settings.DATA_DIR) / "imports").iterdir())
    return []


def _require(is_so: Any, kind: str, more: str = "") -> None:
    if not is_so:
        raise Fault(kind, more)
