"""Reads the account of a patient, figures over all accounts, and how far billing is behind."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from portal.accounts.models import User
from portal.billing.models import AccountStatus, BillingAccount, OrphanedAccount
from portal.billing.reasons import AWAY_CODES
from portal.cache import COUNT_TTL_SECONDS, LARGE_TABLE_ROWS, CachedValue
from portal.errors import NotAllowed
from portal.pagination import Page, decode_cursor, encode_cursor, page_of
from portal.patients.extensions import Tag, TimelineEvent
from portal.patients.shown_lists import shown_by_id
from portal.patients.shown_patients import ShownPatient
from portal.prepared import execute_prepared

# The last condition is that of the index.
_WITH_ACCOUNT = """
    (text[]) AS SELECT patient_id FROM billing_billingaccount
    WHERE account_id = ANY($1) AND account_id <> '' LIMIT 2
"""
_TAG = """
    (uuid) AS SELECT status, next_attempt_at IS NOT NULL FROM billing_billingaccount
    WHERE patient_id = $1
"""


@dataclass(frozen=True)
class BillingState:
    """What billing has yet to hear of; the age of the oldest is None where nothing waits."""

    waiting: int
    oldest_seconds: float | None
    failed: int


class ShownAccount(NamedTuple):
    """An account on the list, with its patient."""

    account: BillingAccount
    patient: ShownPatient


def account_of(patient_id: UUID) -> BillingAccount | None:
    """Returns a patient's account.

    It is None for a patient that raw SQL has just written: the sweep finds it within seconds.
    """
    return BillingAccount.objects.filter(pk=patient_id).first()


def _count_by_status() -> dict[str, int]:
    counts = dict(
        BillingAccount.objects.order_by().values_list("status").annotate(count=Count("*"))
    )
    return {status: counts.get(status, 0) for status in AccountStatus.values}


def _count_waiting() -> int:
    return (
        BillingAccount.objects.filter(next_attempt_at__isnull=False).count()
        + OrphanedAccount.objects.count()
    )


counted_by_status = CachedValue(
    "billing.counts_by_status",
    _count_by_status,
    ttl_seconds=COUNT_TTL_SECONDS,
    worth_keeping=lambda counts: sum(counts.values()) >= LARGE_TABLE_ROWS,
)
counted_waiting = CachedValue(
    "billing.waiting_count",
    _count_waiting,
    ttl_seconds=COUNT_TTL_SECONDS,
    worth_keeping=lambda count: count >= LARGE_TABLE_ROWS,
)


def accounts_by_status() -> dict[str, int]:
    """Returns the number of accounts by status, also where it is 0; for many it is seconds old."""
    return counted_by_status()


def accounts_in(
    status: str, *, user: User | None, channel: str, after: str = "", limit: int = 50
) -> Page[ShownAccount]:
    """Returns a page of the accounts with a status, with their patients, who count as accessed.

    Pending accounts come longest waiting first, the others newest first.
    """
    accounts = _accounts_visible_to(user).filter(status=status)
    page = page_of(_in_order(accounts, status, after), limit=limit, cursor=_cursor)
    patients = shown_by_id(user, [row.pk for row in page.rows], channel=channel)
    return page.with_rows(
        ShownAccount(row, patients[row.pk]) for row in page.rows if row.pk in patients
    )


def states_of(patient_ids: Sequence[UUID], *, user: User | None) -> list[BillingAccount]:
    """Returns these accounts as they are now. It names nobody, and is no access to a patient."""
    return list(_accounts_visible_to(user).filter(pk__in=patient_ids))


def failed_ids(*, user: User | None) -> list[UUID]:
    """Returns the patients whose accounts billing refused."""
    failed = _accounts_visible_to(user).filter(status=AccountStatus.FAILED)
    return list(failed.values_list("pk", flat=True))


def is_billing_away() -> bool:
    """Tells whether the account that waits longest found billing away when it was tried last."""
    waiting = BillingAccount.objects.filter(next_attempt_at__isnull=False).order_by("wanted_at")
    return waiting.values_list("last_error_code", flat=True).first() in AWAY_CODES


def account_members(patient_ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """Returns status and account id by patient; pending where nothing was requested yet."""
    accounts: dict[UUID, dict[str, Any]] = {
        patient_id: {"status": AccountStatus.PENDING.value, "accountId": None}
        for patient_id in patient_ids
    }
    rows = BillingAccount.objects.filter(pk__in=patient_ids)
    for patient_id, status, account_id in rows.values_list("pk", "status", "account_id"):
        accounts[patient_id] = {"status": status, "accountId": account_id or None}
    return accounts


def account_json_sql(patient_id: str) -> str:
    """Returns what `account_members` gives of one patient, in SQL; `patient_id` names a column."""
    return f"""
        coalesce(
            (
                SELECT json_build_object('status', status, 'accountId', nullif(account_id, ''))
                FROM billing_billingaccount WHERE patient_id = {patient_id}
            ),
            json_build_object('status', 'pending', 'accountId', NULL)
        )
    """  # noqa: S608 - the name of a column


def patients_with_account(number: str) -> list[UUID]:
    """Returns the patients, at most one in practice, whose account has this number."""
    if not any(map(str.isdigit, number)):
        return []
    values = [[number, number.upper()]]
    rows = execute_prepared("patients_with_account", lambda: _WITH_ACCOUNT, values)
    return [patient_id for (patient_id,) in rows]


def tag_of(patient_id: UUID) -> Tag:
    """Returns the account's status, and whether it is about to change."""
    rows = execute_prepared("account_tag", lambda: _TAG, [patient_id])
    return Tag(*rows[0]) if rows else Tag(AccountStatus.PENDING.value, True)


def timeline_events_of(patient_id: UUID) -> list[TimelineEvent]:
    """Returns what billing answered last, and what it has yet to hear of."""
    row = account_of(patient_id)
    events = []
    if row and row.answered_at and row.status in _ANSWERS:
        details = [f"Account {row.account_id}"] if row.account_id else []
        if row.status == AccountStatus.FAILED:
            details.append(f"Reason: {row.last_error_code}")
        events.append(TimelineEvent(row.answered_at, _ANSWERS[row.status], details, by="Billing"))
    if row and row.next_attempt_at:
        title = "Billing is to be told, and has not answered yet"
        tries = [f"Tried {row.attempts} times without an answer"] if row.attempts > 1 else []
        events.append(TimelineEvent(row.wanted_at, title, tries))
    return events


_ANSWERS: dict[str, str] = {
    AccountStatus.ACTIVE: "Billing account open, as billing answered last",
    AccountStatus.CLOSED: "Billing account closed, as billing answered last",
    AccountStatus.FAILED: "Billing refused the account",
}


def billing_state() -> BillingState:
    """Returns what waits, for readiness, metrics and the operators' page.

    The number of very many that wait is seconds old.
    """
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


def _accounts_visible_to(user: User | None) -> QuerySet[BillingAccount]:
    if user is not None and not user.has_perm("billing.view_billingaccount"):
        raise NotAllowed("Ask an operator for the right to see billing accounts.")
    return BillingAccount.objects.all()


def _in_order(found: QuerySet[BillingAccount], status: str, after: str) -> QuerySet[BillingAccount]:
    """Orders each status by its index; the active accounts, nearly all, by registration."""
    moment, key = decode_cursor(after, key=UUID) if after else (None, None)
    if status == AccountStatus.ACTIVE:
        return found.filter(Q(pk__lt=key) if key else Q()).order_by("-pk")
    if status == AccountStatus.PENDING:
        later = Q(wanted_at__gt=moment) | Q(wanted_at=moment, pk__gt=key) if key else Q()
        return found.filter(later, next_attempt_at__isnull=False).order_by("wanted_at", "pk")
    earlier = Q(updated_at__lt=moment) | Q(updated_at=moment, pk__lt=key) if key else Q()
    return found.filter(earlier).order_by("-updated_at", "-pk")


def _cursor(row: BillingAccount) -> str:
    return encode_cursor(
        row.wanted_at if row.status == AccountStatus.PENDING else row.updated_at, row.pk
    )
