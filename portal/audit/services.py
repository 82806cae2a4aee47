"""The only writer here: it seals what the logs hold, in batches, once nobody can write among those rows any more."""

import time

import structlog
from django.db import IntegrityError, connection, transaction

from portal.audit.digests import FIRST, FORMS, batch_of, table_of
from portal.audit.models import AuditSeal, Log

log = structlog.get_logger("portal.audit")
ROWS = 1_000
PATIENCE_SECONDS = 1.0  # It is waited for in one of the threads that imports run in.
_LAST = "SELECT coalesce(max({key}), 0) FROM {table}"
# Whoever inserts holds this lock from before an id is handed out until the end of the transaction.
_WRITERS = """
    SELECT virtualtransaction FROM pg_locks
    WHERE relation = %s::regclass AND mode = 'RowExclusiveLock' AND granted AND pid <> pg_backend_pid()
"""


def seal_logs(*, patience_seconds: float = PATIENCE_SECONDS) -> int:
    """Seal every row that is there now; how many were sealed. A log in which somebody writes for long is left out."""
    return sum(_seal(one, patience_seconds) for one in Log.values)


def _seal(name: str, patience_seconds: float) -> int:
    to = _settled(name, patience_seconds)
    if to is None:
        log.info("audit_not_sealed", log=name, reason="somebody writes")
        return 0
    count = 0
    while sealed := _seal_batch(name, to):
        count += sealed
    return count


def _settled(name: str, patience_seconds: float) -> int | None:
    """The last id that is there; None unless all who might still bring a smaller one end in time.

    Ids are handed out before they are committed, so a row can come late. It can no more when everybody who was writing
    as the last id was read has ended.
    """
    table, key = table_of(name)
    to, writers = _ask(_LAST.format(table=table, key=key))[0], set(_ask(_WRITERS, table))
    give_up_at = time.monotonic() + patience_seconds
    while writers & set(_ask(_WRITERS, table)):
        if time.monotonic() >= give_up_at:
            return None
        time.sleep(0.05)
    return int(to)


def _seal_batch(name: str, to: int) -> int:
    last = (
        AuditSeal.objects.filter(log=name).order_by("-to_id").values_list("to_id", "digest").first()
    )
    after, digest_before = last or (0, FIRST)
    form = FORMS[Log(name)]
    batch = batch_of(name, after=after, to=to, digest_before=digest_before, form=form, limit=ROWS)
    if batch.to_id is None:
        return 0
    seal = AuditSeal(log=name, form=form, after_id=after, to_id=batch.to_id, digest=batch.digest)
    seal.row_ids, seal.row_marks = batch.row_ids, batch.row_marks
    try:
        with transaction.atomic():
            seal.save(force_insert=True)
    except IntegrityError:  # Another worker has just sealed these.
        return 0
    log.info("audit_sealed", log=name, to=batch.to_id, digest=batch.digest)
    return len(batch.row_ids)


def _ask(statement: str, *values: str) -> list[str]:
    """The first column of every row, in a statement of its own, so that it sees what is there now."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [row[0] for row in cursor.fetchall()]
