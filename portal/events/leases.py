"""The election: one process holds a lease row, and its fencing number keeps a late sleeper from writing."""

import time
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from portal.events.models import RelayLease
from portal.relay_loops import LeaseLost

LEASE_NAME = "relay"
LEASE_SECONDS = 6.0

_TAKE = """
    INSERT INTO events_relaylease AS lease (name, holder, fence, renewed_at, expires_at)
    VALUES (%(name)s, %(holder)s, 1, clock_timestamp(), clock_timestamp() + %(seconds)s * interval '1 second')
    ON CONFLICT (name) DO UPDATE
    SET holder = EXCLUDED.holder, renewed_at = EXCLUDED.renewed_at, expires_at = EXCLUDED.expires_at,
        fence = lease.fence + (lease.holder <> EXCLUDED.holder)::int
    WHERE lease.holder = EXCLUDED.holder OR lease.expires_at <= clock_timestamp()
    RETURNING fence
"""

_LEFT = """
    SELECT extract(epoch FROM expires_at - clock_timestamp())
    FROM events_relaylease WHERE name = %s AND fence = %s
"""


@dataclass(frozen=True)
class Lease:
    """A lease as its holder knows it: good until `until` on our own monotonic clock, counted from before we asked."""

    fence: int
    until: float

    @property
    def is_good(self) -> bool:
        return time.monotonic() < self.until


def acquire_lease(holder: str, *, seconds: float = LEASE_SECONDS) -> Lease | None:
    """The lease, if it is free, expired or ours; None while another process holds it."""
    asked = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"name": LEASE_NAME, "holder": holder, "seconds": seconds})
        row = cursor.fetchone()
    return Lease(row[0], asked + seconds) if row else None


def release_lease(holder: str) -> None:
    """Let the next process lead at once; no error when the lease is someone else's by now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE events_relaylease SET expires_at = clock_timestamp() WHERE name = %s AND holder = %s",
            [LEASE_NAME, holder],
        )


def end_idle_transactions(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """For a new connection: PostgreSQL ends a transaction in which we fall silent for longer than a lease.

    It may hold what others wait for, such as the lease row, and a process that is stopped would never let go.
    """
    with connection.connection.cursor() as cursor:
        cursor.execute("SET idle_in_transaction_session_timeout = %s", [f"{LEASE_SECONDS:.0f}s"])


def confirm_lease(fence: int) -> Lease:
    """The lease as the database has it now; LeaseLost when it has run out or is another's."""
    asked = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute(_LEFT, [LEASE_NAME, fence])
        row = cursor.fetchone()
    if row is None or row[0] <= 0:
        raise LeaseLost
    return Lease(fence, asked + float(row[0]))


def require_lease(fence: int) -> None:
    """Inside a transaction: nobody else can lead until it ends. LeaseLost when somebody does already."""
    if RelayLease.objects.select_for_update().filter(name=LEASE_NAME, fence=fence).first() is None:
        raise LeaseLost
