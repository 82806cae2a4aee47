"""Rows on their way to billing: claimed for a call by one relay, and marked with the answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from django.db import connection, transaction
from django.db.models import DurationField, F, Func, Q
from django.db.models.functions import Now

from portal.billing.client import AWAY_CODES, Account, Details
from portal.billing.models import AccountStatus, BillingAccount
from portal.patients.models import Status

log = structlog.get_logger("portal.billing")
CLAIM_SECONDS = 30
# The choice is a step of its own: inside of IN, a plan may make it again for each row, and so claim more than LIMIT.
_CLAIM = """
    WITH due AS MATERIALIZED (
        SELECT patient_id FROM billing_billingaccount
        WHERE next_attempt_at <= statement_timestamp()
            OR (next_attempt_at IS NOT NULL AND claimed_by IS NULL AND last_error_code = ANY(%s))
        ORDER BY next_attempt_at LIMIT %s FOR UPDATE SKIP LOCKED)
    UPDATE billing_billingaccount
    SET claimed_by = %s, next_attempt_at = statement_timestamp() + %s * interval '1 second'
    WHERE patient_id IN (SELECT patient_id FROM due)
    RETURNING patient_id
"""
# Rows that a registration or a correction holds right now are left alone, never waited for: waiting here while holding
# other rows could end in a deadlock that costs a user's change. They are claimed again when the claim runs out.
_MARK = """
    WITH answer AS (
        SELECT * FROM unnest(%(patients)s::uuid[], %(accounts)s::text[], %(closed)s::boolean[], %(versions)s::bigint[])
        AS given (patient_id, account_id, is_closed, version)),
    mine AS (SELECT patient_id FROM billing_billingaccount
             WHERE claimed_by = %(fence)s AND patient_id IN (SELECT patient_id FROM answer)
             FOR UPDATE SKIP LOCKED)
    UPDATE billing_billingaccount AS account
    SET status = CASE WHEN answer.is_closed THEN 'closed' ELSE 'active' END, claimed_by = NULL,
        account_id = answer.account_id, synced_version = answer.version,
        attempts = 0, last_error_code = '', updated_at = statement_timestamp(), answered_at = statement_timestamp(),
        next_attempt_at = CASE WHEN account.wanted_version > answer.version THEN statement_timestamp() END
    FROM answer JOIN mine USING (patient_id) WHERE account.patient_id = answer.patient_id
"""
_WAIT = "least(600, power(2, least(%(expressions)s, 10))) * interval '1 second'"


@dataclass(frozen=True)
class Claim:
    """What to tell billing, read when the row was claimed; `account_id` is empty where none was opened yet."""

    details: Details
    account_id: str
    fence: int


def claim_due(*, fence: int, limit: int) -> list[Claim]:
    """Up to `limit` rows that billing has to hear of, ours until CLAIM_SECONDS are over; no two callers get one row.

    Rows that wait only because billing was away are due at once: whoever asks believes that it is back.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_CLAIM, [list(AWAY_CODES), limit, fence, CLAIM_SECONDS])
        ids = [row[0] for row in cursor.fetchall()]
        rows = BillingAccount.objects.select_related("patient").filter(pk__in=ids)
        return [_claim(row, fence) for row in rows]


def take_over_claims(*, fence: int) -> int:
    """Make due what was claimed under a lower number: that leader is gone, or its answers will be refused."""
    return _update(Q(next_attempt_at__isnull=False, claimed_by__lt=fence), next_attempt_at=Now())


def mark_synced(
    claims: Sequence[Claim], accounts: Sequence[Account], versions: Sequence[int]
) -> None:
    """Billing has these accounts, at these versions of the patients; what changed meanwhile is due again."""
    if claims:
        values: dict[str, Any] = {
            "patients": [str(claim.details.patient_id) for claim in claims],
            "accounts": [account.account_id for account in accounts],
            "closed": [account.is_closed for account in accounts],
            "versions": list(versions),
            "fence": claims[0].fence,
        }
        with connection.cursor() as cursor:
            cursor.execute(_MARK, values)


def mark_refused(claim: Claim, code: str) -> None:
    """Billing will never take this as it is: shown to people, until the patient is corrected or someone retries."""
    more = F("attempts") + 1
    refused = {"status": AccountStatus.FAILED, "last_error_code": code, "answered_at": Now()}
    _update_mine([claim], **refused, next_attempt_at=None, attempts=more)
    log.error("billing_refused", patient_id=str(claim.details.patient_id), code=code)


def mark_gone(claim: Claim) -> None:
    """Billing does not know the account that it gave: have it opened again."""
    _update_mine(
        [claim],
        status=AccountStatus.PENDING,
        account_id="",
        synced_version=0,
        next_attempt_at=Now(),
    )
    log.error("billing_account_gone", patient_id=str(claim.details.patient_id))


def postpone_claims(claims: Sequence[Claim], code: str) -> None:
    """Try these later: after a second, then twice as long each time, ten minutes at most."""
    wait = Func(F("attempts"), template=_WAIT, output_field=DurationField())
    _update_mine(
        claims, next_attempt_at=Now() + wait, last_error_code=code, attempts=F("attempts") + 1
    )


def _update_mine(claims: Sequence[Claim], **values: Any) -> None:
    if claims:
        mine = Q(pk__in=[claim.details.patient_id for claim in claims], claimed_by=claims[0].fence)
        _update(mine, **values)


def _update(which: Q, **values: Any) -> int:
    """Free those rows that nobody holds right now; see _MARK for why the others are left."""
    with transaction.atomic():
        rows = BillingAccount.objects.filter(which).select_for_update(
            skip_locked=True, of=("self",)
        )
        ids = list(rows.values_list("pk", flat=True))
        return BillingAccount.objects.filter(pk__in=ids).update(
            **values, claimed_by=None, updated_at=Now()
        )


def _claim(row: BillingAccount, fence: int) -> Claim:
    patient = row.patient
    is_closed = patient.status != Status.ACTIVE
    details = Details(patient.pk, patient.full_name, patient.email, patient.version, is_closed)
    return Claim(details, row.account_id, fence)
