"""The election: one process holds a lease row, and its fencing number keeps a late sleeper from writing."""

import time
from dataclasses import dataclass

from django.db import connection

from portal.events.models import RelayLease
from portal.loops import LeaseLost

NAME = "relay"
SECONDS = 6.0

_TAKE = """
    INSERT INTO events_relaylease AS lease (name, holder, fence, renewed_at, expires_at)
    VALUES (%(name)s, %(holder)s, 1, clock_timestamp(), clock_timestamp() + %(seconds)s * interval '1 second')
    ON CONFLICT (name) DO UPDATE
    SET holder = EXCLUDED.holder, renewed_at = EXCLUDED.renewed_at, expires_at = EXCLUDED.expires_at,
        fence = lease.fence + (lease.holder <> EXCLUDED.holder)::int
    WHERE lease.holder = EXCLUDED.holder OR lease.expires_at <= clock_timestamp()
    RETURNING fence
"""

_LEFT = (
    "SELECT extract(epoch FROM expires_at - clock_timestamp()) FROM events_relaylease WHERE name = %s AND fence = %s"
)


@dataclass(frozen=True)
class Lease:
    """A lease as its holder knows it: good until `until` on our own monotonic clock, counted from before we asked."""

    fence: int
    until: float

    @property
    def is_good(self) -> bool:
        return time.monotonic() < self.until


def take_or_renew(holder: str, *, seconds: float = SECONDS) -> Lease | None:
    """The lease, if it is free, expired or ours; None while another process holds it."""
    asked = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"name": NAME, "holder": holder, "seconds": seconds})
        row = cursor.fetchone()
    return Lease(row[0], asked + seconds) if row else None


def release(holder: str) -> None:
    """Let the next process lead at once; no error when the lease is someone else's by now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE events_relaylease SET expires_at = clock_timestamp() WHERE name = %s AND holder = %s",
            [NAME, holder],
        )


def confirm(fence: int) -> Lease:
    """The lease as the database has it now; LeaseLost when it has run out or is another's."""
    asked = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute(_LEFT, [NAME, fence])
        row = cursor.fetchone()
    if row is None or row[0] <= 0:
        raise LeaseLost
    return Lease(fence, asked + float(row[0]))


def insist_on(fence: int) -> None:
    """Inside a transaction: nobody else can lead until it ends. LeaseLost when somebody does already."""
    if RelayLease.objects.select_for_update().filter(name=NAME, fence=fence).first() is None:
        raise LeaseLost
