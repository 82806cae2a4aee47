"""The first page of the admin: what needs an operator, each part for users who may see it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from portal.accounts.lockouts import users_locked_out
from portal.accounts.models import User
from portal.accounts.rules import user_of
from portal.billing.selectors import billing_state
from portal.events.models import QuarantinedEvent
from portal.events.selectors import relay_state
from portal.health import LATE_SECONDS
from portal.imports.models import ImportJob, JobStatus
from portal.patients.impossible_dates import count_impossible_dates
from portal.reconciliation.models import ReconcileReport, Verdict

RECENT = timedelta(days=7)  # Failed imports count this long, as their files are kept.


@dataclass(frozen=True)
class Concern:
    """A part of the page: its state in words, whether an operator must act, and where."""

    title: str
    summary: str
    needs_you: bool
    address: str


def concerns_of(user: User) -> list[Concern]:
    """Returns the concerns that this user may see; those that need an operator come first."""
    concerns = [read() for right, read in CONCERNS if user.has_perm(right)]
    return sorted(concerns, key=lambda concern: not concern.needs_you)


def admin_index_context(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Adds the concerns to the context of the admin's first page."""
    return {
        **context,
        "title": "What needs you",
        "concerns": concerns_of(user_of(request)),
        "now": timezone.now(),
    }


def count_phrase(count: int, singular: str, plural: str) -> str:
    """Returns such as `3 events wait`, and `No event waits` for 0."""
    number = f"{count:,}" if count else "No"
    return f"{number} {plural if count > 1 else singular}"


def _quarantined() -> Concern:
    count = QuarantinedEvent.objects.count()
    summary = count_phrase(count, "event could not be sent.", "events could not be sent.")
    if not count:
        summary = "All could be sent."
    return Concern("Quarantined events", summary, count > 0, "/admin/events/quarantinedevent/")


def _relay() -> Concern:
    state = relay_state()
    leader = "No relay has led yet."
    if state.lease_age_seconds is not None:
        leader = "It leads" if state.is_led else "None leads"
        leader += f"; last seen {state.lease_age_seconds:.0f} s ago."
    waiting = count_phrase(state.waiting, "event waits", "events wait")
    if state.oldest_seconds is not None:
        waiting += f", the oldest for {state.oldest_seconds:.0f} s"
    is_late = not state.is_led or (state.oldest_seconds or 0) > LATE_SECONDS
    return Concern("Relay", f"{leader} {waiting}.", is_late, "/admin/events/relaylease/")


def _accounts() -> Concern:
    state = billing_state()
    refused = count_phrase(state.failed, "account was refused", "accounts were refused")
    waiting = count_phrase(state.waiting, "waits", "wait").replace("No", "none", 1)
    address = "/admin/billing/billingaccount/?status__exact=failed"
    return Concern("Billing accounts", f"{refused}; {waiting}.", state.failed > 0, address)


def _imports() -> Concern:
    recent = ImportJob.objects.filter(finished_at__gt=timezone.now() - RECENT)
    count = recent.filter(status=JobStatus.FAILED).count()
    summary = count_phrase(count, "import failed in 7 days.", "imports failed in 7 days.")
    address = "/admin/imports/importjob/?status__exact=failed"
    return Concern("Imports", summary, count > 0, address)


def _lockouts() -> Concern:
    count = users_locked_out().count()
    locked = count_phrase(count, "user is locked out", "users are locked out")
    address = "/admin/accounts/user/?locked=yes"
    return Concern("Sign-in", f"{locked} after wrong passwords.", count > 0, address)


def _reconciliation() -> Concern:
    ended = ReconcileReport.objects.filter(finished_at__isnull=False)
    report = ended.order_by("-finished_at").first()
    address = "/admin/reconciliation/reconcilereport/"
    if report is None:
        return Concern("Reconciliation", "No check was made yet.", False, address)
    count = report.difference_count
    summary = "The last check came to no verdict."
    if report.status == Verdict.AGREES:
        summary = "All copies agree."
    elif report.status == Verdict.DIFFERS:
        summary = count_phrase(count, "difference is open.", "differences are open.")
    return Concern("Reconciliation", summary, report.status != Verdict.AGREES, address)


def _records() -> Concern:
    count = count_impossible_dates()
    summary = "Every date is possible."
    if count:
        summary = count_phrase(count, "has a date that cannot be.", "have a date that cannot be.")
        summary = f"{summary} Check on the page Reconciliation, which names them, and correct them."
    return Concern("Records", summary, count > 0, "/reconciliation/")


# The right that a user needs to see a concern, and the function that reads it.
CONCERNS: list[tuple[str, Callable[[], Concern]]] = [
    ("events.view_quarantinedevent", _quarantined),
    ("events.view_relaylease", _relay),
    ("billing.view_billingaccount", _accounts),
    ("imports.view_importjob", _imports),
    ("accounts.view_user", _lockouts),
    ("reconciliation.view_reconcilereport", _reconciliation),
    ("reconciliation.view_reconcilereport", _records),
]
