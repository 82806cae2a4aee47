"""What may be read here: the account of a patient, figures over all, and how far behind billing is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Min
from django.utils import timezone

from portal.billing.models import AccountStatus, BillingAccount


@dataclass(frozen=True)
class BillingState:
    """What billing has yet to hear of; the age of the oldest in seconds, None where nothing waits."""

    waiting: int
    oldest_seconds: float | None
    failed: int


def account_of(patient_id: UUID) -> BillingAccount | None:
    """None for a patient that raw SQL has just written: the sweep finds it within seconds."""
    return BillingAccount.objects.filter(pk=patient_id).first()


def accounts_by_status() -> dict[str, int]:
    """How many accounts stand where; every status is named, also with 0."""
    counts = dict(BillingAccount.objects.order_by().values_list("status").annotate(count=Count("pk")))
    return {status: counts.get(status, 0) for status in AccountStatus.values}


def for_patients(patient_ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """Status and account id of each patient; pending where nothing was asked for yet."""
    rows = BillingAccount.objects.filter(pk__in=patient_ids).values_list("pk", "status", "account_id")
    known = {pk: {"status": status, "accountId": account_id or None} for pk, status, account_id in rows}
    return {one: known.get(one, {"status": AccountStatus.PENDING.value, "accountId": None}) for one in patient_ids}


def billing_state() -> BillingState:
    """For readiness, metrics and the operators' page."""
    waiting = BillingAccount.objects.filter(next_attempt_at__isnull=False)
    figures = waiting.aggregate(count=Count("pk"), oldest=Min("wanted_at"))
    oldest = figures["oldest"]
    return BillingState(
        waiting=figures["count"],
        oldest_seconds=max(0.0, (timezone.now() - oldest).total_seconds()) if oldest else None,
        failed=BillingAccount.objects.filter(status=AccountStatus.FAILED).count(),
    )
