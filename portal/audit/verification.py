"""Whether the logs still are what was sealed: each seal is computed anew, from the first on."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Model

from portal.audit.digests import FIRST, Batch, batch_of, table_of
from portal.audit.models import AuditSeal, Log
from portal.patients.models import AccessRecord, IdentifierChange, PatientEvent

_MODELS: dict[str, type[Model]] = {
    Log.READS: AccessRecord,
    Log.WRITES: PatientEvent,
    Log.IDENTIFIERS: IdentifierChange,
}
MOST_TOLD = 20  # Breaks of a log; all are counted.


@dataclass(frozen=True)
class Finding:
    """What was found of one log. `broken` is empty where all of it agrees, else it tells the first breaks.

    The counts of seals and rows are of those that agree. `head` is the last digest: who keeps it elsewhere can tell
    that the seals themselves were not made anew.
    """

    log: str
    seal_count: int
    row_count: int
    unsealed_count: int
    head: str
    broken: tuple[str, ...]
    broken_count: int


def verify_logs(*, most_told: int = MOST_TOLD) -> Iterator[Finding]:
    """Each log to its end: a break, such as a lawful erasure leaves, hides none behind it."""
    for name in Log.values:
        yield _verified(name, most_told)


def is_known(digest: str) -> bool:
    """Whether a head that was noted down earlier still is one of the seals."""
    return AuditSeal.objects.filter(digest=digest).exists()


def _verified(name: str, most_told: int) -> Finding:
    seals, rows, last, head, broken_count = 0, 0, 0, FIRST, 0
    broken: list[str] = []
    for seal in AuditSeal.objects.filter(log=name).order_by("to_id").iterator(chunk_size=50):
        now = batch_of(name, after=seal.after_id, to=seal.to_id, digest_before=head, form=seal.form)
        breaks = _breaks(seal, now, last)
        if not breaks:
            seals, rows = seals + 1, rows + len(now.row_ids)
        broken_count += len(breaks)
        broken += breaks[: most_told - len(broken)]
        last, head = (
            seal.to_id,
            seal.digest,
        )  # As it was sealed, also behind a break: the next was made over it.
    _table, key = table_of(name)
    unsealed = _MODELS[name]._default_manager.filter(**{f"{key}__gt": last}).count()
    return Finding(name, seals, rows, unsealed, head, tuple(broken), broken_count)


def _breaks(seal: AuditSeal, now: Batch, last: int) -> list[str]:
    """What is not as it was sealed, behind a seal that ended with the row `last`."""
    if seal.after_id != last:
        return [f"the seal behind row {last} is gone", *_differences(seal, now)]
    if now.digest == seal.digest:
        return []
    return _differences(seal, now) or [f"the seal up to row {seal.to_id} was changed"]


def _differences(seal: AuditSeal, now: Batch) -> list[str]:
    """Each row that was changed, taken away or put in."""
    sealed = dict(zip(seal.row_ids, seal.row_marks, strict=False))
    there = dict(zip(now.row_ids, now.row_marks, strict=True))
    words = {
        **dict.fromkeys(sealed.keys() - there.keys(), "is gone"),
        **dict.fromkeys(there.keys() - sealed.keys(), "was put in later"),
        **{
            row_id: "was changed"
            for row_id in sealed.keys() & there.keys()
            if sealed[row_id] != there[row_id]
        },
    }
    return [f"row {row_id} {words[row_id]}" for row_id in sorted(words)]
