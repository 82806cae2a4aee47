"""Where an import keeps its progress: in the job's row, or for a dry run of a command in memory."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

from django.db import OperationalError, connection, transaction
from django.db.models import F
from django.utils import timezone

from portal.imports.matching.decision import Decision
from portal.imports.matching.row import CheckedRow, checked
from portal.imports.models import ImportJob, ImportQuestion, ImportReject, Outcome
from portal.imports.readers import Problem, Row

T = TypeVar("T")
LEASE = timedelta(
    seconds=20
)  # A batch at work also holds the row locked, so a long one keeps the job.
TRIES = 5
_TRY_AGAIN = {
    "40P01",
    "40001",
}  # Deadlock, serialisation: PostgreSQL undid the batch and it may be tried again.


class LeaseLost(Exception):
    """Another process took the job up; this one must write nothing more."""


def retry_after_deadlock(batch: Callable[[], T]) -> T:
    """The answer of a batch, done again when PostgreSQL undid it for the sake of another transaction."""
    for tries_left in reversed(range(TRIES)):
        try:
            return batch()
        except OperationalError as error:
            if not tries_left or getattr(error.__cause__, "pgcode", None) not in _TRY_AGAIN:
                raise
    raise AssertionError("The last try returns or raises.")


class JobProgressStore:
    """The job's row. The batch holds it locked, so that a process whose lease ran out cannot write beside the next."""

    def __init__(self, job_id: UUID, lease: UUID | None, *, asks: bool = False) -> None:
        self.job_id, self.lease, self.asks = job_id, lease, asks

    @contextmanager
    def batch(self) -> Iterator[None]:
        """See Book; LeaseLost when the job is not ours any more."""
        with transaction.atomic():
            held = (
                ImportJob.objects.select_for_update()
                .filter(pk=self.job_id)
                .values_list("lease", flat=True)
                .first()
            )
            if held != self.lease:
                raise LeaseLost
            yield

    def keep(self, decisions: Sequence[Decision]) -> None:
        """See Book."""
        ImportReject.objects.bulk_create(
            self._reject(one) for one in decisions if one.outcome == Outcome.REJECTED
        )
        if self.asks:
            ImportQuestion.objects.bulk_create(
                self._question(one) for one in decisions if one.doubt
            )
        counts = Counter(f"{one.outcome}_count" for one in decisions)
        columns: dict[str, Any] = {name: F(name) + count for name, count in counts.items()}
        columns["alike_count"] = F("alike_count") + sum(one.is_unasked for one in decisions)
        last = decisions[-1].row
        self.move(**columns, last_row=last.number, bytes_done=last.end)

    def move(self, **columns: Any) -> None:
        """Write progress, inside of the batch's transaction; the job stays ours for another lease."""
        until = timezone.now() + LEASE
        ImportJob.objects.filter(pk=self.job_id).update(**columns, attempts=0, leased_until=until)

    def _question(self, decision: Decision) -> ImportQuestion:
        return ImportQuestion(
            job_id=self.job_id,
            row_number=decision.row.number,
            doubt=decision.doubt,
            people=[str(one) for one in decision.people],
            alike=[one.as_json() for one in decision.alike],
            details=_checked_details(decision.row),
        )

    def _reject(self, decision: Decision) -> ImportReject:
        first = decision.problems[0]
        return ImportReject(
            job_id=self.job_id,
            row_number=decision.row.number,
            column=storable(first.column)[:200],
            value=storable(first.value),
            reason=storable(first.reason),
            problems=[_as_json(one) for one in decision.problems],
            raw=[storable(cell) for cell in decision.row.raw],
        )


class ReadOnlyProgressStore:
    """Nothing is kept, and the database itself sees to it: each batch is a read-only transaction."""

    @contextmanager
    def batch(self) -> Iterator[None]:
        """See Book."""
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
            yield

    def keep(self, decisions: Sequence[Decision]) -> None:
        """See Book."""


def _as_json(problem: Problem) -> dict[str, str]:
    return {name: storable(getattr(problem, name)) for name in ("column", "value", "reason")}


def _checked_details(row: Row) -> dict[str, Any]:
    """What the row says, written as the patients' own values are, so that the two can be compared."""
    candidate = checked(row)
    details = candidate.details if isinstance(candidate, CheckedRow) else {}
    return {
        name: value if isinstance(value, list) else str(value)
        for name, value in details.items()
        if value
    }


def storable(text: str) -> str:
    """The text without what PostgreSQL cannot hold: NUL and lone halves of surrogate pairs."""
    return (
        text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\N{REPLACEMENT CHARACTER}")
    )
