"""Whether both logs still are what was sealed: each seal is computed anew, from the first on."""

from collections.abc import Iterator
from dataclasses import dataclass

from portal.audit.hashing import FIRST, Batch, batch_of, table_of
from portal.audit.models import AuditSeal, Log
from portal.patients.models import AccessRecord, PatientEvent


@dataclass(frozen=True)
class Finding:
    """What was found of one log. `broken` is empty where all of it agrees, else it tells the first row that does not.

    `head` is the last digest: who keeps it elsewhere can tell that the seals themselves were not made anew.
    """

    log: str
    seal_count: int
    row_count: int
    unsealed_count: int
    head: str
    broken: str = ""


def verify_logs() -> Iterator[Finding]:
    """Each log, up to its first break."""
    for name in Log.values:
        yield _verified(name)


def is_known(digest: str) -> bool:
    """Whether a head that was noted down earlier still is one of the seals."""
    return AuditSeal.objects.filter(digest=digest).exists()


def _verified(name: str) -> Finding:
    seals, rows, last, head = 0, 0, 0, FIRST
    for seal in AuditSeal.objects.filter(log=name).order_by("to_id").iterator(chunk_size=50):
        if seal.after_id != last:
            return _told(name, seals, rows, last, head, f"the seal behind row {last} is gone")
        now = batch_of(name, after=last, to=seal.to_id, digest_before=head, form=seal.form)
        if now.digest != seal.digest:
            return _told(name, seals, rows, last, head, _difference(seal, now))
        seals, rows, last, head = seals + 1, rows + len(now.row_ids), seal.to_id, seal.digest
    return _told(name, seals, rows, last, head, "")


def _told(name: str, seals: int, rows: int, last: int, head: str, broken: str) -> Finding:
    _table, key = table_of(name)
    model = AccessRecord if name == Log.READS else PatientEvent
    unsealed = model._default_manager.filter(**{f"{key}__gt": last}).count()
    return Finding(name, seals, rows, unsealed, head, broken)


def _difference(seal: AuditSeal, now: Batch) -> str:
    """The first row that was changed, taken away or put in; where all are as marked, the seal itself was touched."""
    sealed = dict(zip(seal.row_ids, seal.row_marks, strict=False))
    there = dict(zip(now.row_ids, now.row_marks, strict=True))
    for row_id in sorted(sealed.keys() | there.keys()):
        if row_id not in there:
            return f"row {row_id} is gone"
        if row_id not in sealed:
            return f"row {row_id} was put in later"
        if there[row_id] != sealed[row_id]:
            return f"row {row_id} was changed"
    return f"the seal up to row {seal.to_id} was changed"
