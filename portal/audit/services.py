"""Seals the rows of the logs in batches, once no transaction can add a row among them any more."""

import time

import structlog
from django.db import IntegrityError, connection, transaction

from portal.audit.digests import CURRENT_FORMS, NO_DIGEST, batch_of, table_of
from portal.audit.models import AuditSeal, Log

log = structlog.get_logger("portal.audit")
SEAL_ROWS = 1_000  # The most rows under a seal.
PATIENCE_SECONDS = 1.0  # The longest wait for open transactions; imports need the thread.
_LAST = "SELECT coalesce(max({key}), 0) FROM {table}"
# An INSERT holds this lock from before it takes an id until the end of its transaction.
_WRITERS = """
    SELECT virtualtransaction FROM pg_locks
    WHERE relation = %s::regclass AND mode = 'RowExclusiveLock' AND granted
        AND pid <> pg_backend_pid()
"""


def seal_logs(*, patience_seconds: float = PATIENCE_SECONDS) -> int:
    """Seals every row that is there now and returns how many.

    A log is left to the next run while a transaction writes into it for longer than the patience.
    """
    return sum(_seal_log(name, patience_seconds) for name in Log.values)


def _seal_log(name: str, patience_seconds: float) -> int:
    to = _last_settled_id(name, patience_seconds)
    if to is None:
        log.info("audit_not_sealed", log=name, reason="open transactions")
        return 0
    count = 0
    while sealed := _seal_batch(name, to):
        count += sealed
    return count


def _last_settled_id(name: str, patience_seconds: float) -> int | None:
    """Returns the last id in the log; None if transactions that may add a smaller one go on.

    A transaction takes an id before it commits, so a row can appear late. None can any more when
    all transactions that were writing as the last id was read have ended.
    """
    table, key = table_of(name)
    [to] = _first_column(_LAST.format(table=table, key=key))
    writers = set(_first_column(_WRITERS, table))
    give_up_at = time.monotonic() + patience_seconds
    while writers & set(_first_column(_WRITERS, table)):
        if time.monotonic() >= give_up_at:
            return None
        time.sleep(0.05)
    return int(to)


def _seal_batch(name: str, to: int) -> int:
    seals = AuditSeal.objects.filter(log=name).order_by("-to_id")
    last = seals.values_list("to_id", "digest").first()
    after, digest_before = last or (0, NO_DIGEST)
    form = CURRENT_FORMS[Log(name)]
    batch = batch_of(
        name, after=after, to=to, digest_before=digest_before, form=form, limit=SEAL_ROWS
    )
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


def _first_column(statement: str, *values: str) -> list[str]:
    """Returns the first column of all rows, as they are at the moment of this call."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [row[0] for row in cursor.fetchall()]
