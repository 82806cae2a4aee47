"""Where an import keeps its progress: in the job's row, or nowhere for a dry run of the command."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import Any, Protocol, TypeVar
from uuid import UUID

from django.db import OperationalError, connection, transaction
from django.db.models import F
from django.utils import timezone

from portal.imports.matching.decision import Decision, Remark
from portal.imports.matching.row import CheckedRow, check_row
from portal.imports.models import (
    ImportJob,
    ImportQuestion,
    ImportReject,
    ImportRemark,
    Outcome,
)
from portal.imports.readers import Problem, Row

T = TypeVar("T")
# How long a job belongs to a silent process. A batch at work also holds the job's row locked, so
# one that takes longer keeps the job.
LEASE = timedelta(seconds=20)
MAX_TRIES = 5  # Of one batch that PostgreSQL undid.
# Deadlock and serialisation failure: PostgreSQL undid the batch, and it may be tried again.
_RETRY_CODES = {"40P01", "40001"}


class LeaseLost(Exception):
    """Another process has claimed the job; this one must write nothing more."""


class ProgressStore(Protocol):
    """Where progress is kept."""

    def batch(self) -> AbstractContextManager[object]:
        """Opens the transaction of one batch."""

    def record(self, decisions: Sequence[Decision]) -> None:
        """Counts the decisions, keeps refusals and remarks, inside of the batch's transaction."""


class JobProgressStore:
    """Keeps progress in the job's row.

    A batch holds the row locked, so that a process whose lease ran out cannot write beside the
    next one.
    """

    def __init__(self, job_id: UUID, lease: UUID | None, *, keeps_questions: bool = False) -> None:
        self.job_id, self.lease, self.keeps_questions = job_id, lease, keeps_questions

    @contextmanager
    def batch(self) -> Iterator[None]:
        """See ProgressStore. LeaseLost if the job does not belong to this process any more."""
        with transaction.atomic():
            locked = ImportJob.objects.select_for_update().filter(pk=self.job_id)
            if locked.values_list("lease", flat=True).first() != self.lease:
                raise LeaseLost
            yield

    def record(self, decisions: Sequence[Decision]) -> None:
        """See ProgressStore."""
        rejected = [decision for decision in decisions if decision.outcome == Outcome.REJECTED]
        ImportReject.objects.bulk_create(self._reject(decision) for decision in rejected)
        if self.keeps_questions:
            doubtful = [decision for decision in decisions if decision.doubt]
            ImportQuestion.objects.bulk_create(self._question(decision) for decision in doubtful)
        ImportRemark.objects.bulk_create(
            self._remark(decision.row.number, remark)
            for decision in decisions
            for remark in decision.remarks
        )
        counts = Counter(decision.outcome for decision in decisions)
        columns: dict[str, Any] = {
            f"{outcome}_count": F(f"{outcome}_count") + count for outcome, count in counts.items()
        }
        unreviewed = sum(decision.is_unreviewed for decision in decisions)
        columns["alike_count"] = F("alike_count") + unreviewed
        parts: Counter[str] = Counter()
        for decision in decisions:
            if decision.remarks:  # A part that is left out is one of them.
                parts += decision.parts_left_out
        if parts:
            # The batch holds the row of the job locked.
            job = ImportJob.objects.filter(pk=self.job_id)
            earlier = Counter(job.values_list("parts_left_out", flat=True).get())
            columns["parts_left_out"] = dict(earlier + parts)
        last = decisions[-1].row
        self.advance(**columns, last_row=last.number, bytes_done=last.end)

    def advance(self, **columns: Any) -> None:
        """Writes progress, inside of the batch's transaction, and renews the lease."""
        until = timezone.now() + LEASE
        ImportJob.objects.filter(pk=self.job_id).update(**columns, attempts=0, leased_until=until)

    def _question(self, decision: Decision) -> ImportQuestion:
        return ImportQuestion(
            job_id=self.job_id,
            row_number=decision.row.number,
            doubt=decision.doubt,
            people=[str(patient_id) for patient_id in decision.patient_ids],
            alike=[match.as_json() for match in decision.matches],
            details=_comparable_details(decision.row),
        )

    def _remark(self, row_number: int, remark: Remark) -> ImportRemark:
        return ImportRemark(
            job_id=self.job_id,
            row_number=row_number,
            kind=remark.kind,
            patient_id=remark.patient_id,
            patient_label=remark.patient_label,
            field=storable(remark.field)[:200],
            old=remark.old,
            new=storable(remark.new),
            reason=remark.reason,
        )

    def _reject(self, decision: Decision) -> ImportReject:
        first = decision.problems[0]
        return ImportReject(
            job_id=self.job_id,
            row_number=decision.row.number,
            column=storable(first.column)[:200],
            value=storable(first.value),
            reason=storable(first.reason),
            problems=[_problem_json(problem) for problem in decision.problems],
            raw=[storable(cell) for cell in decision.row.raw],
        )


class ReadOnlyProgressStore:
    """Keeps nothing. Each batch is a read-only transaction, so the database refuses any write."""

    @contextmanager
    def batch(self) -> Iterator[None]:
        """See ProgressStore."""
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
            yield

    def record(self, decisions: Sequence[Decision]) -> None:
        """See ProgressStore."""


def retry_after_deadlock(batch: Callable[[], T]) -> T:
    """Runs the batch again if PostgreSQL undid it for the sake of another transaction."""
    for tries_left in reversed(range(MAX_TRIES)):
        try:
            return batch()
        except OperationalError as error:
            if not tries_left or getattr(error.__cause__, "pgcode", None) not in _RETRY_CODES:
                raise
    raise AssertionError("The last try returns or raises.")


def storable(text: str) -> str:
    """Returns the text without what PostgreSQL cannot hold: NUL and lone surrogates."""
    valid = text.encode("utf-8", "replace").decode("utf-8")
    return valid.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _problem_json(problem: Problem) -> dict[str, str]:
    return {name: storable(getattr(problem, name)) for name in ("column", "value", "reason")}


def _comparable_details(row: Row) -> dict[str, Any]:
    """Returns what the row says, written like the patients' own values, to compare the two."""
    checked = check_row(row)
    details = checked.details if isinstance(checked, CheckedRow) else {}
    return {
        name: _keys(value) if isinstance(value, list) else str(value)
        for name, value in details.items()
        if value
    }


def _keys(identifiers: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Returns the identifiers without their days, as the review compares them."""
    return [{name: identifier[name] for name in ("system", "value")} for identifier in identifiers]
