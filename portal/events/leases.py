"""The election of the leading relay: a lease row, and a fencing number that refuses late writes."""

import time
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from portal.relay_loops import LeaseLost

LEASE_NAME = "relay"
LEASE_SECONDS = 6.0  # After a leader dies, another one leads this much later at the latest.

_TAKE = """
    INSERT INTO events_relaylease AS lease (name, holder, fence, renewed_at, expires_at)
    VALUES (%(name)s, %(holder)s, 1, clock_timestamp(),
        clock_timestamp() + %(seconds)s * interval '1 second')
    ON CONFLICT (name) DO UPDATE
    SET holder = EXCLUDED.holder,
        renewed_at = EXCLUDED.renewed_at,
        expires_at = EXCLUDED.expires_at,
        fence = lease.fence + (lease.holder <> EXCLUDED.holder)::int
    WHERE lease.holder = EXCLUDED.holder OR lease.expires_at <= clock_timestamp()
    RETURNING fence
"""

_LEFT = """
    SELECT extract(epoch FROM expires_at - clock_timestamp())
    FROM events_relaylease WHERE name = %s AND fence = %s
"""

_LOCK = "SELECT FROM events_relaylease WHERE name = %s AND fence = %s FOR UPDATE"

_RELEASE = """
    UPDATE events_relaylease SET expires_at = clock_timestamp() WHERE name = %s AND holder = %s
"""


@dataclass(frozen=True)
class Lease:
    """A lease as its holder knows it: good until `until` on the holder's own monotonic clock.

    That time is counted from before the database was asked.
    """

    fence: int
    until: float

    @property
    def is_good(self) -> bool:
        return time.monotonic() < self.until


def acquire_lease(holder: str, *, seconds: float = LEASE_SECONDS) -> Lease | None:
    """Takes or renews the lease; returns None while another process holds it."""
    asked = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"name": LEASE_NAME, "holder": holder, "seconds": seconds})
        row = cursor.fetchone()
    return Lease(row[0], asked + seconds) if row else None


def release_lease(holder: str) -> None:
    """Lets the next process lead at once; it is no error when another holds the lease by now."""
    with connection.cursor() as cursor:
        cursor.execute(_RELEASE, [LEASE_NAME, holder])


def end_idle_transactions(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Makes PostgreSQL end a transaction of this connection that is idle for longer than a lease.

    It may hold what others wait for, such as the lease row, and a process that is stopped would
    never let go of it.
    """
    with connection.connection.cursor() as cursor:
        cursor.execute("SET idle_in_transaction_session_timeout = %s", [f"{LEASE_SECONDS:.0f}s"])


def confirm_lease(fence: int) -> Lease:
    """Returns the lease as the database has it now; raises LeaseLost when it ended or moved on."""
    asked = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute(_LEFT, [LEASE_NAME, fence])
        row = cursor.fetchone()
    if row is None or row[0] <= 0:
        raise LeaseLost
    return Lease(fence, asked + float(row[0]))


def require_lease(fence: int) -> None:
    """Locks the lease row in the caller's transaction: nobody else can lead until it ends.

    Raises LeaseLost when another process leads already.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [LEASE_NAME, fence])
        if not cursor.rowcount:
            raise LeaseLost
