"""Is it alive, is it ready, what is behind: /health/live, /health/ready and what the pages' amber strips say."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse

from portal.accounts.rules import ANYONE, allow
from portal.analytics.selectors import client as figures_client
from portal.billing.selectors import billing_state
from portal.cache import CachedValue
from portal.errors import Unavailable
from portal.events.selectors import relay_state, seconds_away
from portal.reconciliation.selectors import reconcile_state

LATE_SECONDS = 5.0  # Work that has waited this long is behind.
AWAY_SECONDS = 3.0  # A neighbour that has not answered the relay for this long is away, also when nothing waits.
CHECKS_TTL_SECONDS = 2.0  # How old the answers of the checks may be.


@dataclass(frozen=True)
class Check:
    """One dependency: whether it keeps up, what still works while it does not, and its figures."""

    name: str
    ok: bool
    still_works: str = ""
    figures: dict[str, Any] = field(default_factory=dict)


def database() -> None:
    """DatabaseError while the database is away."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def relay() -> Check:
    state = relay_state()
    words = (
        "Patients are saved. Their events are sent, and accounts opened, when the relay is back."
    )
    return Check(
        "relay",
        ok=state.is_led,
        still_works=words,
        figures={"leaseAgeSeconds": state.lease_age_seconds},
    )


def events() -> Check:
    state = relay_state()
    words = "Patients are saved; the figures follow when Kafka is back."
    figures = {
        "waiting": state.waiting,
        "oldestSeconds": state.oldest_seconds,
        "quarantined": state.quarantined,
    }
    return Check("events", _keeps_up("events", state.oldest_seconds), words, figures)


def billing() -> Check:
    state = billing_state()
    words = "Patients are saved; their billing accounts are opened when billing is back."
    figures = {
        "waiting": state.waiting,
        "oldestSeconds": state.oldest_seconds,
        "failed": state.failed,
    }
    return Check("billing", _keeps_up("billing", state.oldest_seconds), words, figures)


def _keeps_up(loop: str, oldest_seconds: float | None) -> bool:
    return (oldest_seconds or 0) < LATE_SECONDS and seconds_away().get(loop, 0) < AWAY_SECONDS


def analytics() -> Check:
    words = "Everything but live figures works; the dashboard shows the last known ones."
    try:
        lag = figures_client.figures().get("lagSeconds") or 0
    except Unavailable:
        return Check("analytics", ok=False, still_works=words)
    return Check("analytics", lag < LATE_SECONDS, words, {"lagSeconds": lag})


def worker_queue() -> Check:
    words = "Uploaded files are kept, and imported when the worker's queue is back."
    try:
        if settings.CELERY_BROKER_URL.startswith(("redis", "unix")):
            with redis.Redis.from_url(
                settings.CELERY_BROKER_URL, socket_timeout=1, socket_connect_timeout=1
            ) as queue:
                queue.ping()
    except redis.RedisError:
        return Check("worker queue", ok=False, still_works=words)
    return Check("worker queue", ok=True)


def reconciliation() -> Check:
    state = reconcile_state()
    words = "Patients are saved. Some of their copies differ; operators can repair that on the page Reconciliation."
    figures = {"differences": state.differences, "ageSeconds": state.age_seconds}
    return Check("reconciliation", not state.differences, words, figures)


CHECKS: list[Callable[[], Check]] = [
    relay,
    events,
    billing,
    analytics,
    worker_queue,
    reconciliation,
]
checks = CachedValue(
    "health.checks", lambda: [check() for check in CHECKS], ttl_seconds=CHECKS_TTL_SECONDS
)


def behind() -> list[Check]:
    """What does not keep up, for the strip on every page."""
    return [check for check in checks() if not check.ok]


@allow(ANYONE)
def live(request: HttpRequest) -> JsonResponse:  # noqa: ARG001 - a view takes it
    """200 while the process answers at all."""
    return JsonResponse({"status": "live"})


@allow(ANYONE)
def ready(request: HttpRequest) -> JsonResponse:  # noqa: ARG001 - a view takes it
    """200 where patients can be read and saved, `degraded` if something is behind; 503 without the database."""
    try:
        database()
        found = checks()
    except DatabaseError:
        return JsonResponse(
            {"status": "unready", "checks": [{"name": "database", "ok": False}]}, status=503
        )
    status = "ready" if all(check.ok for check in found) else "degraded"
    body = [
        {"name": check.name, "ok": check.ok, **check.figures}
        for check in (Check("database", ok=True), *found)
    ]
    return JsonResponse({"status": status, "checks": body})
