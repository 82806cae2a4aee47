"""/metrics for Prometheus: requests of all web processes, and backlogs read from the database."""

from collections.abc import Iterator

from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from portal.accounts.rules import ANYONE, allow
from portal.billing.selectors import accounts_by_status, billing_state
from portal.disk import free_bytes
from portal.events.selectors import relay_state, seconds_away
from portal.health import checks
from portal.reconciliation.selectors import reconcile_state
from portal.schedule.selectors import beat_age_seconds, worker_beat_age_seconds
from portal.web_figures import web_figures


class Backlog(Collector):
    """Backlogs of Kafka and billing, checks and reconciliation. An age of 0: nothing waits."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yields what the database says; while it is away, that it is."""
        try:
            figures = list(self._read())
        except DatabaseError:
            figures = []
        yield _gauge("portal_database_ok", "1 while the database answers", bool(figures))
        yield from figures

    def _read(self) -> Iterator[GaugeMetricFamily]:
        events, billing = relay_state(), billing_state()
        yield _gauge(
            "portal_outbox_events", "Events that Kafka has not acknowledged", events.waiting
        )
        yield _gauge(
            "portal_outbox_oldest_seconds", "Age of the oldest such event", events.oldest_seconds
        )
        yield _gauge(
            "portal_quarantined_events", "Events that could not be encoded", events.quarantined
        )
        yield _gauge("portal_relay_led", "1 while a relay holds the lease", events.is_led)
        yield _gauge(
            "portal_billing_waiting", "Accounts that billing has yet to hear of", billing.waiting
        )
        yield _gauge(
            "portal_billing_oldest_seconds",
            "Age of the oldest such account",
            billing.oldest_seconds,
        )
        accounts = GaugeMetricFamily(
            "portal_billing_accounts", "Accounts by status", labels=["status"]
        )
        for status, count in accounts_by_status().items():
            accounts.add_metric([status], count)
        yield accounts
        away = GaugeMetricFamily(
            "portal_relay_loop_away", "1 while its other side does not answer", labels=["loop"]
        )
        for loop, seconds in seconds_away().items():
            away.add_metric([loop], float(seconds > 0))
        yield away
        keeping_up = GaugeMetricFamily(
            "portal_check_ok", "1 while this part keeps up", labels=["check"]
        )
        for check in checks():
            keeping_up.add_metric([check.name], float(check.ok))
        yield keeping_up
        if (age := beat_age_seconds()) is not None:
            yield _gauge(
                "portal_scheduler_beat_age_seconds", "Since the scheduler's last beat", age
            )
        if (age := worker_beat_age_seconds()) is not None:
            yield _gauge("portal_worker_beat_age_seconds", "Since a worker's last beat", age)
        yield _gauge("portal_data_free_bytes", "Room where uploads are kept", free_bytes())
        reconciled = reconcile_state()
        yield _gauge(
            "portal_reconcile_differences",
            "What the last reconciliation found",
            reconciled.differences,
        )
        if reconciled.age_seconds is not None:
            yield _gauge(
                "portal_reconcile_age_seconds",
                "Since the last one with a verdict",
                reconciled.age_seconds,
            )


def _gauge(name: str, help_text: str, value: float | None) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, help_text, value=float(value or 0))


@allow(ANYONE)
@require_safe
def show_metrics(_request: HttpRequest) -> HttpResponse:
    """Answers in Prometheus's text format, on the internal port only."""
    registry = CollectorRegistry()
    registry.register(Backlog())
    if figures := web_figures():
        registry.register(figures)
        body = generate_latest(registry)
    else:
        body = generate_latest(REGISTRY) + generate_latest(registry)
    return HttpResponse(body, content_type=CONTENT_TYPE_LATEST)
