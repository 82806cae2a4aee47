"""The loop of an import: batches of rows, each written with its progress in one transaction."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Protocol

from django.db import DataError, IntegrityError, transaction

from portal.errors import InvalidInput, PortalError
from portal.imports.matching.decision import (
    Decision,
    PatientLookup,
    RowDecider,
    as_decided,
    decide,
    refusal,
)
from portal.imports.matching.row import problems_from_error, valid_rows
from portal.imports.pipeline.job_store import retry_after_deadlock
from portal.imports.readers import PatientFile, Problem, Row

BATCH = 500
_REFUSALS = (PortalError, IntegrityError, DataError)


class Patients(PatientLookup, Protocol):
    """Where decisions go: the patients, or a rehearsal of them."""

    def write(self, decisions: Sequence[Decision]) -> None:
        """Carry the decisions out, all or none."""


class ProgressStore(Protocol):
    """Where progress is kept."""

    def batch(self) -> AbstractContextManager[object]:
        """The transaction of one batch."""

    def keep(self, decisions: Sequence[Decision]) -> None:
        """Count the decisions, and remember the refusals, inside of the batch's transaction."""


@dataclass(frozen=True)
class Rules:
    """What an import does where a row looks like a patient, and where a person had a choice."""

    allow_duplicates: bool
    holds_back: bool
    settle: RowDecider

    def decide(self, rows: Sequence[Row], memory: PatientLookup) -> list[Decision]:
        """See `decide`."""
        return decide(
            rows,
            memory=memory,
            allow_duplicates=self.allow_duplicates,
            holds_back=self.holds_back,
            settle=self.settle,
        )


BatchListener = Callable[[Sequence[Decision]], None]


def run(
    file: PatientFile,
    *,
    patients: Patients,
    book: ProgressStore,
    allow_duplicates: bool,
    holds_back: bool = False,
    settle: RowDecider = as_decided,
    after: int = 0,
    tell: BatchListener | None = None,
) -> None:
    """Every row behind row `after` is imported or refused, on its own; `tell` hears of each batch once it is safe.

    `holds_back` refuses new people who may be registered already; `settle` answers what is in doubt.
    """
    rules = Rules(allow_duplicates, holds_back, settle)
    rows, size = file.rows(after), BATCH
    waiting = list(islice(rows, BATCH))
    while waiting:
        decisions = _batch(waiting[:size], patients=patients, book=book, rules=rules)
        if tell:
            tell(decisions)
        waiting = waiting[len(decisions) :] + list(islice(rows, len(decisions)))
        size = min(
            BATCH, 2 * len(decisions)
        )  # Where rows depend on each other, looking far ahead is in vain.


def _batch(
    rows: Sequence[Row], *, patients: Patients, book: ProgressStore, rules: Rules
) -> list[Decision]:
    asked = (rows, patients, book, rules)
    try:
        return retry_after_deadlock(partial(_together, *asked))
    except _REFUSALS:  # One row is at fault: each on its own, so that it costs only itself.
        return retry_after_deadlock(partial(_one_by_one, *asked))


def _together(
    rows: Sequence[Row], patients: Patients, book: ProgressStore, rules: Rules
) -> list[Decision]:
    with book.batch():
        decisions = rules.decide(rows, patients)
        patients.write(decisions)
        book.keep(decisions)
        return decisions


def _one_by_one(
    rows: Sequence[Row], patients: Patients, book: ProgressStore, rules: Rules
) -> list[Decision]:
    with book.batch():
        patients.find_patients(
            valid_rows(rows)
        )  # All are locked in one order before the first is written.
        decisions = [_alone(row, patients=patients, rules=rules) for row in rows]
        book.keep(decisions)
        return decisions


def _alone(row: Row, *, patients: Patients, rules: Rules) -> Decision:
    try:
        with transaction.atomic():
            decisions = rules.decide([row], patients)
            patients.write(decisions)
            return decisions[0]
    except _REFUSALS as error:
        return refusal(row, _problems(row, error))


def _problems(row: Row, error: Exception) -> list[Problem]:
    """Words for what the patients' services or the database refused; a database's own text is never shown."""
    if isinstance(error, InvalidInput) and error.errors:
        return problems_from_error(row, error)
    if isinstance(error, PortalError):
        return [Problem("", "", error.detail or error.title)]
    rule = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
    if rule == "one_patient_per_identifier":
        return [Problem("", "", "One of its identifiers belongs to another patient.")]
    return [Problem("", "", f"The database refused the row ({rule or 'a value does not fit'}).")]
