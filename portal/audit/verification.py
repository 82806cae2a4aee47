"""Verifies that the logs still are what was sealed: it computes each seal anew, in order."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Model

from portal.audit.digests import NO_DIGEST, LogBatch, batch_of, table_of
from portal.audit.models import AuditSeal, Log
from portal.patients.models import AccessRecord, IdentifierChange, PatientEvent

_MODELS: dict[str, type[Model]] = {
    Log.READS: AccessRecord,
    Log.WRITES: PatientEvent,
    Log.IDENTIFIERS: IdentifierChange,
}
MAX_BREAKS = 20  # Breaks of a log that are named; all are counted.


@dataclass(frozen=True)
class LogFinding:
    """The result for a log. `broken` names its first breaks and is empty where all agrees.

    The counts of seals and rows are of those that agree. `head` is the last digest: a copy kept
    elsewhere proves that the seals themselves were not made anew.
    """

    log: str
    seal_count: int
    row_count: int
    unsealed_count: int
    head: str
    broken: tuple[str, ...]
    broken_count: int


def verify_logs(*, max_breaks: int = MAX_BREAKS) -> Iterator[LogFinding]:
    """Verifies each log to its end: a break, such as a lawful erasure, hides no later one."""
    for name in Log.values:
        yield _verify_log(name, max_breaks)


def is_known_digest(digest: str) -> bool:
    """Returns whether a head that was noted down earlier still is the digest of a seal."""
    return AuditSeal.objects.filter(digest=digest).exists()


def _verify_log(name: str, max_breaks: int) -> LogFinding:
    seals, rows, last, head, broken_count = 0, 0, 0, NO_DIGEST, 0
    broken: list[str] = []
    for seal in AuditSeal.objects.filter(log=name).order_by("to_id").iterator(chunk_size=50):
        now = batch_of(name, after=seal.after_id, to=seal.to_id, digest_before=head, form=seal.form)
        breaks = _breaks(seal, now, last)
        if not breaks:
            seals, rows = seals + 1, rows + len(now.row_ids)
        broken_count += len(breaks)
        broken += breaks[: max_breaks - len(broken)]
        # The next seal was made over this digest as it was, also where the rows differ now.
        last, head = seal.to_id, seal.digest
    _table, key = table_of(name)
    unsealed = _MODELS[name]._default_manager.filter(**{f"{key}__gt": last}).count()
    return LogFinding(name, seals, rows, unsealed, head, tuple(broken), broken_count)


def _breaks(seal: AuditSeal, now: LogBatch, last: int) -> list[str]:
    """Returns what differs from the seal; the seal before it ended with the row `last`."""
    if seal.after_id != last:
        return [f"the seal behind row {last} is gone", *_differences(seal, now)]
    if now.digest == seal.digest:
        return []
    return _differences(seal, now) or [f"the seal up to row {seal.to_id} was changed"]


def _differences(seal: AuditSeal, now: LogBatch) -> list[str]:
    """Names each row that was changed, deleted or inserted."""
    sealed = dict(zip(seal.row_ids, seal.row_marks, strict=False))
    current = dict(zip(now.row_ids, now.row_marks, strict=True))
    differences = []
    for row_id in sorted(sealed.keys() | current.keys()):
        if row_id not in current:
            differences.append(f"row {row_id} is gone")
        elif row_id not in sealed:
            differences.append(f"row {row_id} was put in later")
        elif sealed[row_id] != current[row_id]:
            differences.append(f"row {row_id} was changed")
    return differences
