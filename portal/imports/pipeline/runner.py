"""The loop of an import: batches of rows, each written with its progress in one transaction."""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from itertools import islice
from typing import Protocol

from django.db import DataError, IntegrityError, transaction

from portal.errors import InvalidInput, PortalError
from portal.imports.matching.decision import Decision, refuse
from portal.imports.matching.row import ReadRow, problems_from_error, valid_rows
from portal.imports.matching.rules import ImportOptions, PatientLookup, decide
from portal.imports.pipeline.job_store import ProgressStore, retry_after_deadlock
from portal.imports.pipeline.read_ahead import read_rows
from portal.imports.pipeline.reader_process import COLLECTED_OBJECTS
from portal.imports.readers import PatientFile, Problem, Row

BATCH = 500  # Rows in one transaction.
_REFUSALS = (PortalError, IntegrityError, DataError)

BatchListener = Callable[[Sequence[Decision]], None]


class PatientStore(PatientLookup, Protocol):
    """Where decisions are carried out: on the patients, or in a dry run."""

    def write(self, decisions: Sequence[Decision]) -> None:
        """Carries the decisions out, all or none."""


def run(
    file: PatientFile,
    *,
    patients: PatientStore,
    progress: ProgressStore,
    options: ImportOptions,
    after: int = 0,
    on_batch: BatchListener | None = None,
) -> None:
    """Imports or refuses every row after row `after`, each on its own.

    `on_batch` gets the decisions of each batch once they are committed.
    """
    with _few_objects_to_look_through(), closing(read_rows(file, after)) as rows:
        _run_batches(rows, patients, progress, options, on_batch)


def _run_batches(
    rows: Iterator[ReadRow],
    patients: PatientStore,
    progress: ProgressStore,
    options: ImportOptions,
    on_batch: BatchListener | None,
) -> None:
    size = BATCH
    waiting = list(islice(rows, BATCH))
    while waiting:
        decisions = _run_batch(waiting[:size], patients, progress, options)
        if on_batch:
            on_batch(decisions)
        waiting = waiting[len(decisions) :] + list(islice(rows, len(decisions)))
        # Where rows depend on each other, looking far ahead is in vain.
        size = min(BATCH, 2 * len(decisions))


@contextmanager
def _few_objects_to_look_through() -> Iterator[None]:
    """Lets the garbage collector pass over what is there already, such as Django itself.

    The rows of a batch make it look through everything again and again.
    """
    threshold = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(COLLECTED_OBJECTS)
    try:
        yield
    finally:
        gc.set_threshold(*threshold)
        gc.unfreeze()


def _run_batch(
    rows: Sequence[ReadRow], patients: PatientStore, progress: ProgressStore, options: ImportOptions
) -> list[Decision]:
    arguments = (rows, patients, progress, options)
    try:
        return retry_after_deadlock(partial(_run_together, *arguments))
    except _REFUSALS:  # One row is at fault: each runs alone, so that it costs only itself.
        return retry_after_deadlock(partial(_run_row_by_row, *arguments))


def _run_together(
    rows: Sequence[ReadRow], patients: PatientStore, progress: ProgressStore, options: ImportOptions
) -> list[Decision]:
    with progress.batch():
        decisions = decide(rows, lookup=patients, options=options)
        patients.write(decisions)
        progress.record(decisions)
        return decisions


def _run_row_by_row(
    rows: Sequence[ReadRow], patients: PatientStore, progress: ProgressStore, options: ImportOptions
) -> list[Decision]:
    with progress.batch():
        # This locks all patients in one order before the first is written.
        patients.find_patients(valid_rows(rows))
        decisions = [_run_row(row, patients, options) for row in rows]
        progress.record(decisions)
        return decisions


def _run_row(row: ReadRow, patients: PatientStore, options: ImportOptions) -> Decision:
    try:
        with transaction.atomic():
            decisions = decide([row], lookup=patients, options=options)
            patients.write(decisions)
            return decisions[0]
    except _REFUSALS as error:
        return refuse(row.row, _problems(row.row, error))


def _problems(row: Row, error: Exception) -> list[Problem]:
    """Says in words what the patients' services or the database refused.

    The database's own text is never shown, since it may quote values.
    """
    if isinstance(error, InvalidInput) and error.errors:
        return problems_from_error(row, error)
    if isinstance(error, PortalError):
        return [Problem("", "", error.detail or error.title)]
    constraint = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
    if constraint == "one_patient_per_identifier":
        return [Problem("", "", "One of its identifiers belongs to another patient.")]
    cause = constraint or "a value does not fit"
    return [Problem("", "", f"The database refused the row ({cause}).")]
