"""Checks of what the portal depends on, for /health/live, /health/ready and the pages' strips."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from portal.accounts.rules import ANYONE, allow
from portal.analytics.selectors import client as figures_client
from portal.billing.selectors import billing_state
from portal.cache import CachedValue
from portal.disk import free_bytes, has_room
from portal.errors import Unavailable
from portal.events.retention import retention_problem
from portal.events.selectors import relay_state, seconds_away
from portal.patients.impossible_dates import count_impossible_dates
from portal.reconciliation.selectors import reconcile_state
from portal.schedule.selectors import beat_age_seconds, worker_beat_age_seconds

LATE_SECONDS = 5.0  # Work that has waited this long is behind.
AWAY_SECONDS = 3.0  # A neighbour that was silent this long is away, also when nothing waits.
BEAT_LATE_SECONDS = 30.0  # Scheduler and worker beat every five; then they are away.
CHECKS_TTL_SECONDS = 2.0  # How old the answers of the checks may be.


@dataclass(frozen=True)
class Check:
    """A dependency: whether it keeps up, what still works while it does not, and its figures."""

    name: str
    ok: bool
    still_works: str = ""
    figures: dict[str, Any] = field(default_factory=dict)


def check_database() -> None:
    """Raises DatabaseError while the database is away."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def check_relay() -> Check:
    state = relay_state()
    still_works = (
        "Patients are saved. Their events are sent, and accounts opened, when the relay is back."
    )
    figures = {"leaseAgeSeconds": state.lease_age_seconds}
    return Check("relay", state.is_led, still_works, figures)


def check_events() -> Check:
    state = relay_state()
    still_works = "Patients are saved; the figures follow when Kafka is back."
    keeps_up = _keeps_up("events", state.oldest_seconds)
    if state.quarantined and keeps_up:
        still_works = (
            "Patients are saved; some of their changes could not be sent, and are missing in the "
            "figures. Operators find them under Quarantined events in the admin."
        )
    figures = {
        "waiting": state.waiting,
        "oldestSeconds": state.oldest_seconds,
        "quarantined": state.quarantined,
    }
    return Check("events", keeps_up and not state.quarantined, still_works, figures)


def check_billing() -> Check:
    state = billing_state()
    still_works = "Patients are saved; their billing accounts are opened when billing is back."
    figures = {
        "waiting": state.waiting,
        "oldestSeconds": state.oldest_seconds,
        "failed": state.failed,
    }
    return Check("billing", _keeps_up("billing", state.oldest_seconds), still_works, figures)


def _keeps_up(loop: str, oldest_seconds: float | None) -> bool:
    return (oldest_seconds or 0) < LATE_SECONDS and seconds_away().get(loop, 0) < AWAY_SECONDS


def check_analytics() -> Check:
    still_works = "Everything but live figures works; the dashboard shows the last known ones."
    try:
        lag = figures_client.figures().get("lagSeconds") or 0
    except Unavailable:
        return Check("analytics", ok=False, still_works=still_works)
    return Check("analytics", lag < LATE_SECONDS, still_works, {"lagSeconds": lag})


def check_worker_queue() -> Check:
    still_works = "Uploaded files are kept, and imported when the worker's queue is back."
    address = settings.CELERY_BROKER_URL
    try:
        if address.startswith(("redis", "unix")):
            with redis.Redis.from_url(address, socket_timeout=1, socket_connect_timeout=1) as queue:
                queue.ping()
    except redis.RedisError:
        return Check("worker queue", ok=False, still_works=still_works)
    return Check("worker queue", ok=True)


def check_scheduler() -> Check:
    still_works = (
        "Patients are saved, and imports run. Seals and nightly work follow "
        "when the scheduler is back."
    )
    age = beat_age_seconds()
    return Check("scheduler", _is_beating(age), still_works, {"beatAgeSeconds": age})


def check_worker() -> Check:
    still_works = (
        "Patients are saved. Imports, seals and nightly work follow when the worker is back."
    )
    age = worker_beat_age_seconds()
    return Check("worker", _is_beating(age), still_works, {"beatAgeSeconds": age})


def _is_beating(age_seconds: float | None) -> bool:
    return age_seconds is not None and age_seconds < BEAT_LATE_SECONDS


def check_disk() -> Check:
    still_works = (
        "Patients are saved as long as the database has room. Uploads may fail. "
        "Operators have to make room on the disk of PORTAL_DATA_DIR."
    )
    return Check("disk", has_room(), still_works, {"freeBytes": free_bytes()})


def check_reconciliation() -> Check:
    state = reconcile_state()
    still_works = (
        "Patients are saved. Some of their copies differ; "
        "operators can repair that on the page Reconciliation."
    )
    figures = {"differences": state.differences, "ageSeconds": state.age_seconds}
    return Check("reconciliation", not state.differences, still_works, figures)


def check_topic() -> Check:
    forgets_by = retention_problem()
    still_works = (
        "Everything works today, but Kafka is set to forget changes, and figures could not be "
        "counted anew. Operators see the settings on the page Reconciliation."
    )
    return Check("topic", not forgets_by, still_works, {"forgetsBy": forgets_by or None})


def check_records() -> Check:
    count = count_impossible_dates()
    still_works = (
        "Everything works; such a date counts as not known. "
        "Operators see which records these are on the page Reconciliation."
    )
    return Check("records", not count, still_works, {"impossibleDates": count})


CHECKS: list[Callable[[], Check]] = [
    check_relay,
    check_events,
    check_billing,
    check_analytics,
    check_worker_queue,
    check_worker,
    check_scheduler,
    check_disk,
    check_reconciliation,
    check_topic,
    check_records,
]
checks = CachedValue(
    "health.checks", lambda: [check() for check in CHECKS], ttl_seconds=CHECKS_TTL_SECONDS
)


def checks_behind() -> list[Check]:
    """Returns the checks that do not keep up, for the strips on every page."""
    return [check for check in checks() if not check.ok]


@allow(ANYONE)
@require_safe
def show_liveness(_request: HttpRequest) -> JsonResponse:
    """Answers 200 while the process answers at all."""
    return JsonResponse({"status": "live"})


@allow(ANYONE)
@require_safe
def show_readiness(_request: HttpRequest) -> JsonResponse:
    """Answers 200 where patients can be read and saved, 503 without the database.

    The status is `degraded` while any check does not keep up.
    """
    try:
        check_database()
        current = [Check("database", ok=True), *checks()]
    except DatabaseError:
        body = {"status": "unready", "checks": [{"name": "database", "ok": False}]}
        return JsonResponse(body, status=503)
    status = "ready" if all(check.ok for check in current) else "degraded"
    listed = [{"name": check.name, "ok": check.ok, **check.figures} for check in current]
    return JsonResponse({"status": status, "checks": listed})
