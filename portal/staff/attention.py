"""What needs an operator: the first page of the admin, each part for those who may see it."""

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
from portal.reconciliation.models import ReconcileReport, Verdict

LATELY = timedelta(days=7)  # As long as the file of a failed import is kept.


@dataclass(frozen=True)
class Concern:
    """One part: how it stands in words, whether somebody has to do something, and where."""

    title: str
    words: str
    needs_you: bool
    address: str


def concerns_of(user: User) -> list[Concern]:
    """Those that this person may see; what needs somebody comes first."""
    found = [tell() for right, tell in CONCERNS if user.has_perm(right)]
    return sorted(found, key=lambda concern: not concern.needs_you)


def admin_index_context(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The context of the admin's first page."""
    return {
        **context,
        "title": "What needs you",
        "concerns": concerns_of(user_of(request)),
        "now": timezone.now(),
    }


def count_phrase(count: int, one: str, many: str) -> str:
    """`3 events wait`; `No event waits` of none."""
    return f"{f'{count:,}' if count else 'No'} {many if count > 1 else one}"


def _quarantined() -> Concern:
    count = QuarantinedEvent.objects.count()
    words = (
        count_phrase(count, "event could not be sent.", "events could not be sent.")
        if count
        else "All could be sent."
    )
    return Concern("Quarantined events", words, count > 0, "/admin/events/quarantinedevent/")


def _relay() -> Concern:
    state = relay_state()
    waiting = count_phrase(state.waiting, "event waits", "events wait")
    oldest = (
        f", the oldest for {state.oldest_seconds:.0f} s" if state.oldest_seconds is not None else ""
    )
    if state.lease_age_seconds is None:
        leads = "No relay has led yet."
    else:
        leads = f"{'It leads' if state.is_led else 'None leads'}; last seen {state.lease_age_seconds:.0f} s ago."
    is_late = not state.is_led or (state.oldest_seconds or 0) > LATE_SECONDS
    return Concern("Relay", f"{leads} {waiting}{oldest}.", is_late, "/admin/events/relaylease/")


def _accounts() -> Concern:
    state = billing_state()
    words = count_phrase(state.failed, "account was refused", "accounts were refused")
    return Concern(
        "Billing accounts",
        f"{words}; {count_phrase(state.waiting, 'waits', 'wait').replace('No', 'none', 1)}.",
        state.failed > 0,
        "/admin/billing/billingaccount/?status__exact=failed",
    )


def _imports() -> Concern:
    count = ImportJob.objects.filter(
        status=JobStatus.FAILED, finished_at__gt=timezone.now() - LATELY
    ).count()
    words = count_phrase(count, "import failed", "imports failed")
    return Concern(
        "Imports",
        f"{words} in 7 days.",
        count > 0,
        "/admin/imports/importjob/?status__exact=failed",
    )


def _locked() -> Concern:
    count = users_locked_out().count()
    words = count_phrase(count, "user is locked out", "users are locked out")
    return Concern(
        "Sign-in", f"{words} after wrong passwords.", count > 0, "/admin/accounts/user/?locked=yes"
    )


def _reconciliation() -> Concern:
    report = (
        ReconcileReport.objects.filter(finished_at__isnull=False).order_by("-finished_at").first()
    )
    address = "/admin/reconciliation/reconcilereport/"
    if report is None:
        return Concern("Reconciliation", "No check was made yet.", False, address)
    words = {
        Verdict.AGREES: "All copies agree.",
        Verdict.DIFFERS: count_phrase(
            report.difference_count, "difference is open.", "differences are open."
        ),
    }.get(Verdict(report.status), "The last check came to no verdict.")
    return Concern("Reconciliation", words, report.status != Verdict.AGREES, address)


CONCERNS: list[tuple[str, Callable[[], Concern]]] = [
    ("events.view_quarantinedevent", _quarantined),
    ("events.view_relaylease", _relay),
    ("billing.view_billingaccount", _accounts),
    ("imports.view_importjob", _imports),
    ("accounts.view_user", _locked),
    ("reconciliation.view_reconcilereport", _reconciliation),
]
