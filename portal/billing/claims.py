"""Claims: a relay claims accounts that are due, calls billing, and marks them with the answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import structlog
from django.db import connection, transaction
from django.db.models import DurationField, F, Func, Q
from django.db.models.functions import Now

from portal.arrays import array_of, quoted
from portal.billing.client import Account, Details
from portal.billing.models import AccountStatus, BillingAccount
from portal.billing.reasons import AWAY_CODES
from portal.patients.models import Patient, Status

log = structlog.get_logger("portal.billing")
CLAIM_SECONDS = 30  # After which a claim of a killed relay is due again.
# The choice is a step of its own: inside of IN, a plan may make it again for each row, and so claim
# more than LIMIT.
_CLAIM = """
    WITH due AS MATERIALIZED (
        SELECT patient_id FROM billing_billingaccount
        WHERE next_attempt_at <= statement_timestamp()
            OR (next_attempt_at IS NOT NULL AND claimed_by IS NULL AND last_error_code = ANY(%s))
        ORDER BY next_attempt_at LIMIT %s FOR UPDATE SKIP LOCKED)
    UPDATE billing_billingaccount AS account
    SET claimed_by = %s, next_attempt_at = statement_timestamp() + %s * interval '1 second'
    FROM patients_patient AS patient
    WHERE account.patient_id = ANY(ARRAY(SELECT patient_id FROM due))
        AND patient.id = account.patient_id
    RETURNING patient.id::text, account.account_id, patient.version, patient.status, patient.email,
        patient.prefix, patient.given_name, patient.middle_name, patient.family_name, patient.suffix
"""
# Rows that a registration or a correction holds right now are left alone, never waited for: waiting
# here while holding other rows could end in a deadlock that costs a user's change. They are claimed
# again when the claim runs out.
_MARK = """
    WITH answer AS (
        SELECT * FROM unnest(%(patients)s::uuid[], %(accounts)s::text[], %(closed)s::boolean[],
            %(versions)s::bigint[])
        AS given (patient_id, account_id, is_closed, version)),
    mine AS (SELECT patient_id FROM billing_billingaccount
             WHERE claimed_by = %(fence)s AND patient_id = ANY(%(patients)s::uuid[])
             FOR UPDATE SKIP LOCKED)
    UPDATE billing_billingaccount AS account
    SET status = CASE WHEN answer.is_closed THEN 'closed' ELSE 'active' END,
        account_id = answer.account_id,
        synced_version = answer.version,
        claimed_by = NULL,
        attempts = 0,
        last_error_code = '',
        updated_at = statement_timestamp(),
        answered_at = statement_timestamp(),
        next_attempt_at =
            CASE WHEN account.wanted_version > answer.version THEN statement_timestamp() END
    FROM answer JOIN mine USING (patient_id) WHERE account.patient_id = answer.patient_id
"""
# 1 second at first, then twice as long each time, 600 at most.
_WAIT = "least(600, power(2, greatest(0, least(%(expressions)s, 10)))) * interval '1 second'"


@dataclass(frozen=True)
class Claim:
    """A claimed account, with what billing is told; `account_id` is empty before it was opened."""

    details: Details
    account_id: str
    fence: int


class _Row(NamedTuple):
    """What _CLAIM returns. Two models would take longer to fill than all the rest of a claim."""

    patient_id: str
    account_id: str
    version: int
    status: str
    email: str
    prefix: str
    given_name: str
    middle_name: str
    family_name: str
    suffix: str


def claim_due(*, fence: int, limit: int) -> list[Claim]:
    """Claims up to `limit` accounts that billing has to hear of; no two callers get the same.

    A claim ends after CLAIM_SECONDS. Accounts that wait only because billing was away are due at
    once: the caller has reason to believe that it is back.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_CLAIM, [list(AWAY_CODES), limit, fence, CLAIM_SECONDS])
        return [_claim(_Row._make(row), fence) for row in cursor.fetchall()]


def take_over_claims(*, fence: int) -> int:
    """Makes due what was claimed under a lower number; returns how many.

    That leader is gone, or its answers will be refused.
    """
    return _update(Q(next_attempt_at__isnull=False, claimed_by__lt=fence), next_attempt_at=Now())


def mark_synced(
    claims: Sequence[Claim], accounts: Sequence[Account], versions: Sequence[int]
) -> None:
    """Stores that billing has these accounts at these versions of the patients.

    An account whose patient changed meanwhile is due again.
    """
    if claims:
        values: dict[str, Any] = {
            "patients": array_of(claim.details.patient_id for claim in claims),
            "accounts": array_of(quoted(account.account_id) for account in accounts),
            "closed": array_of(account.is_closed for account in accounts),
            "versions": array_of(versions),
            "fence": claims[0].fence,
        }
        with connection.cursor() as cursor:
            cursor.execute(_MARK, values)


def mark_refused(claim: Claim, code: str) -> None:
    """Stores that billing will never take this as it is.

    It is shown to users, and waits until the patient is corrected or a user retries.
    """
    _update_claimed(
        [claim],
        status=AccountStatus.FAILED,
        last_error_code=code,
        answered_at=Now(),
        next_attempt_at=None,
        attempts=F("attempts") + 1,
    )
    log.error("billing_refused", patient_id=str(claim.details.patient_id), code=code)


def mark_gone(claim: Claim) -> None:
    """Makes the relay open the account again: billing does not know the one that it gave."""
    _update_claimed(
        [claim],
        status=AccountStatus.PENDING,
        account_id="",
        synced_version=0,
        next_attempt_at=Now(),
    )
    log.error("billing_account_gone", patient_id=str(claim.details.patient_id))


def postpone_claims(claims: Sequence[Claim], code: str) -> None:
    """Postpones these by a second, then twice as long each time, ten minutes at most."""
    wait = Func(F("attempts"), template=_WAIT, output_field=DurationField())
    _update_claimed(
        claims, next_attempt_at=Now() + wait, last_error_code=code, attempts=F("attempts") + 1
    )


def _update_claimed(claims: Sequence[Claim], **values: Any) -> None:
    if claims:
        ids = [claim.details.patient_id for claim in claims]
        _update(Q(pk__in=ids, claimed_by=claims[0].fence), **values)


def _update(condition: Q, **values: Any) -> int:
    """Updates and frees the accounts that nobody holds; see _MARK for why the others are left."""
    with transaction.atomic():
        rows = BillingAccount.objects.filter(condition).select_for_update(
            skip_locked=True, of=("self",)
        )
        ids = list(rows.values_list("pk", flat=True))
        return BillingAccount.objects.filter(pk__in=ids).update(
            **values, claimed_by=None, updated_at=Now()
        )


def _claim(row: _Row, fence: int) -> Claim:
    name = Patient.full_name.fget(row)  # type: ignore[attr-defined]  # A property.
    is_closed = row.status != Status.ACTIVE
    details = Details(row.patient_id, name, row.email, row.version, is_closed)
    return Claim(details, row.account_id, fence)
