"""What may be read here: the account of a patient, figures over all, and how far behind billing is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count
from django.utils import timezone

from portal.billing.models import AccountStatus, BillingAccount, OrphanedAccount
from portal.kept import Kept
from portal.patients.annexes import Tag


@dataclass(frozen=True)
class BillingState:
    """What billing has yet to hear of; the age of the oldest in seconds, None where nothing waits."""

    waiting: int
    oldest_seconds: float | None
    failed: int


def account_of(patient_id: UUID) -> BillingAccount | None:
    """None for a patient that raw SQL has just written: the sweep finds it within seconds."""
    return BillingAccount.objects.filter(pk=patient_id).first()


def _count_by_status() -> dict[str, int]:
    counts = dict(BillingAccount.objects.order_by().values_list("status").annotate(count=Count("*")))
    return {status: counts.get(status, 0) for status in AccountStatus.values}


def _count_waiting() -> int:
    return BillingAccount.objects.filter(next_attempt_at__isnull=False).count() + OrphanedAccount.objects.count()


counted_by_status = Kept(_count_by_status, size=lambda counts: sum(counts.values()))
counted_waiting = Kept(_count_waiting, size=int)


def accounts_by_status() -> dict[str, int]:
    """How many accounts stand where; every status is named, also with 0. Of many accounts, seconds old."""
    return counted_by_status()


def for_patients(patient_ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """Status and account id of each patient; pending where nothing was asked for yet."""
    rows = BillingAccount.objects.filter(pk__in=patient_ids).values_list("pk", "status", "account_id")
    known = {pk: {"status": status, "accountId": account_id or None} for pk, status, account_id in rows}
    return {one: known.get(one, {"status": AccountStatus.PENDING.value, "accountId": None}) for one in patient_ids}


def tag_of(patient_id: UUID) -> Tag:
    """The account's state, and whether it is on its way to another one."""
    row = account_of(patient_id)
    return Tag(row.status, row.next_attempt_at is not None) if row else Tag(AccountStatus.PENDING.value, True)


def billing_state() -> BillingState:
    """For readiness, metrics and the operators' page. The number of very many that wait is seconds old."""
    oldest = min(filter(None, (_oldest_wanted_at(), _oldest_left_at())), default=None)
    return BillingState(
        waiting=counted_waiting(),
        oldest_seconds=max(0.0, (timezone.now() - oldest).total_seconds()) if oldest else None,
        failed=BillingAccount.objects.filter(status=AccountStatus.FAILED).count(),
    )


def _oldest_wanted_at() -> datetime | None:
    waiting = BillingAccount.objects.filter(next_attempt_at__isnull=False)
    return waiting.order_by("wanted_at").values_list("wanted_at", flat=True).first()


def _oldest_left_at() -> datetime | None:
    return OrphanedAccount.objects.values_list("left_at", flat=True).first()
