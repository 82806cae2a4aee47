"""Requests for accounts: of saved patients, again after a refusal, and for what raw SQL wrote."""

from collections.abc import Iterable, Sequence
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.db.models import Case, Q, Value, When
from django.db.models.functions import Now

from portal.accounts.models import User
from portal.billing.models import AccountStatus, BillingAccount
from portal.errors import NotFound
from portal.prepared import write_prepared

log = structlog.get_logger("portal.billing")

# The patients whose account was never requested, or whose name, e-mail or status differ from what
# was requested. The log has the old values, so that nothing is copied here; it is read for patients
# alone who changed since.
NEED_OF_ACCOUNT = """
    SELECT patient.id, patient.version FROM patients_patient AS patient
    LEFT JOIN billing_billingaccount AS account ON account.patient_id = patient.id
    WHERE (account.patient_id IS NULL OR (patient.version > account.wanted_version AND NOT EXISTS (
        SELECT FROM patients_patientevent AS wanted
        WHERE wanted.pgh_obj_id = patient.id AND wanted.version = account.wanted_version
            AND wanted.pgh_label <> 'delete'
            AND (patient.prefix, patient.given_name, patient.middle_name, patient.family_name,
                 patient.suffix, patient.email, patient.status = 'active')
                IS NOT DISTINCT FROM
                (wanted.prefix, wanted.given_name, wanted.middle_name, wanted.family_name,
                 wanted.suffix, wanted.email, wanted.status = 'active'))))
"""
_REQUEST = f"""
    INSERT INTO billing_billingaccount AS account (patient_id, wanted_version)
    SELECT id, version FROM ({NEED_OF_ACCOUNT} AND patient.id = ANY(%s::uuid[])) AS need ORDER BY id
    ON CONFLICT (patient_id) DO UPDATE
    SET wanted_version = EXCLUDED.wanted_version,
        next_attempt_at = statement_timestamp(),
        attempts = 0,
        updated_at = statement_timestamp(),
        wanted_at = CASE WHEN account.next_attempt_at IS NULL THEN statement_timestamp()
                         ELSE account.wanted_at END,
        status = CASE WHEN account.status <> 'failed' THEN account.status
                      WHEN account.account_id = '' THEN 'pending' ELSE 'active' END
    WHERE account.wanted_version < EXCLUDED.wanted_version
"""  # noqa: S608 - all parts are constants
BILLED = frozenset(
    ("prefix", "given_name", "middle_name", "family_name", "suffix", "email", "status")
)
# For a patient who is new, or whose billed columns stay, the log need not be read.
REQUEST_FIRST = """
    INSERT INTO billing_billingaccount (patient_id, wanted_version)
    SELECT id, version FROM written ON CONFLICT (patient_id) DO NOTHING
"""
_REQUEST_ALONE = f"""
    (uuid) AS WITH written AS (SELECT id, version FROM patients_patient WHERE id = $1)
    {REQUEST_FIRST}
"""  # noqa: S608 - constants
_REQUEST_NEW = f"""
    WITH written AS (SELECT id, version FROM patients_patient WHERE id = ANY(%s::uuid[]))
    {REQUEST_FIRST}
"""  # noqa: S608 - constants
# Rows that a registration or a correction holds are left: to wait for them could be a deadlock.
_REQUEST_AGAIN = """
    WITH mine AS (
        SELECT patient_id FROM billing_billingaccount WHERE patient_id = ANY(%(patients)s::uuid[])
        ORDER BY patient_id FOR UPDATE SKIP LOCKED)
    UPDATE billing_billingaccount AS account
    SET account_id = CASE WHEN %(forget)s THEN '' ELSE account.account_id END,
        status = CASE WHEN %(forget)s OR account.account_id = '' THEN 'pending'
                      WHEN account.status = 'closed' THEN 'closed' ELSE 'active' END,
        wanted_version = patient.version,
        synced_version = 0,
        claimed_by = NULL,
        attempts = 0,
        last_error_code = '',
        wanted_at = CASE WHEN account.next_attempt_at IS NULL THEN statement_timestamp()
                         ELSE account.wanted_at END,
        next_attempt_at = statement_timestamp(),
        updated_at = statement_timestamp()
    FROM mine JOIN patients_patient AS patient ON patient.id = mine.patient_id
    WHERE account.patient_id = mine.patient_id
"""
# Candidates: `request_accounts` compares them with the log. Both tables are read in ranges of ids,
# in their order, since this runs all day.
_SLICE = """
    WITH slice AS MATERIALIZED (
        SELECT id, version FROM patients_patient WHERE id > %(after)s ORDER BY id LIMIT %(limit)s),
    last AS MATERIALIZED (SELECT id FROM slice ORDER BY id DESC LIMIT 1)
    SELECT (SELECT id FROM last), array(
        SELECT slice.id FROM slice LEFT JOIN (
            SELECT patient_id, wanted_version FROM billing_billingaccount
            WHERE patient_id > %(after)s AND patient_id <= (SELECT id FROM last)
        ) AS account ON account.patient_id = slice.id
        WHERE account.patient_id IS NULL OR slice.version > account.wanted_version)
"""
_NEWEST = """
    WITH newest AS MATERIALIZED (
        SELECT id, version FROM patients_patient ORDER BY id DESC LIMIT %s),
    first AS MATERIALIZED (SELECT id FROM newest ORDER BY id LIMIT 1)
    SELECT newest.id FROM newest LEFT JOIN (
        SELECT patient_id, wanted_version FROM billing_billingaccount
        WHERE patient_id >= (SELECT id FROM first)
    ) AS account ON account.patient_id = newest.id
    WHERE account.patient_id IS NULL OR newest.version > account.wanted_version
"""
FIRST_ID = UUID(int=0)  # Before every patient.
RETRY_BATCH_SIZE = 1_000  # Accounts in one statement.


def request_accounts(patient_ids: Iterable[UUID | str]) -> int:
    """Requests an account for each patient, with the present name and e-mail; open if active.

    It runs in the caller's transaction, in one statement, and calls nobody. Doing it again changes
    nothing. Returns how many rows changed.
    """
    ids = [str(patient_id) for patient_id in patient_ids]
    with connection.cursor() as cursor:
        cursor.execute(_REQUEST, [ids])
        return int(cursor.rowcount)


def request_first_account(patient_id: UUID) -> None:
    """Requests an account for a patient who may have none, as one who was registered just now."""
    write_prepared("request_first_account", lambda: _REQUEST_ALONE, [patient_id])


def request_first_accounts(patient_ids: Iterable[UUID]) -> None:
    """Does the same for many, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(_REQUEST_NEW, [[str(patient_id) for patient_id in patient_ids]])


def request_again(patient_ids: Iterable[UUID], *, forget_account: bool = False) -> int:
    """Tells billing of these patients once more, whatever the rows say that it knows.

    The repair uses it: afterwards the rows have what billing answers. With `forget_account` billing
    is asked for an account as if there were none, and answers with the one that is there. Rows that
    are being written are left out; ask again for those. Returns how many are due now.
    """
    ids = [str(patient_id) for patient_id in patient_ids]
    request_accounts(ids)
    with connection.cursor() as cursor:
        cursor.execute(_REQUEST_AGAIN, {"patients": ids, "forget": forget_account})
        return int(cursor.rowcount)


def retry_account(patient_id: UUID, *, by: User | None) -> BillingAccount:
    """Makes the relay ask billing again at once, also after a refusal.

    Raises NotFound where there is no such patient.
    """
    request_accounts([patient_id])
    _retry([patient_id], is_waiting_for_locks=True)
    account = BillingAccount.objects.filter(pk=patient_id).first()
    if account is None:
        raise NotFound("There is no patient with this id.")
    log.info("billing_retried", patient_id=str(patient_id), actor=by.pk if by else None)
    return account


def retry_accounts(patient_ids: Sequence[UUID], *, by: User | None) -> int:
    """Makes the relay ask billing again for many; returns for how many.

    Rows that are being written are left out.
    """
    count = 0
    for first in range(0, len(patient_ids), RETRY_BATCH_SIZE):
        batch = patient_ids[first : first + RETRY_BATCH_SIZE]
        request_accounts(batch)
        count += _retry(batch, is_waiting_for_locks=False)
    log.info("billing_retried", count=count, actor=by.pk if by else None)
    return count


def _retry(patient_ids: Sequence[UUID], *, is_waiting_for_locks: bool) -> int:
    may_be_asked = Q(status=AccountStatus.FAILED) | Q(
        next_attempt_at__isnull=False, claimed_by=None
    )
    with transaction.atomic():
        rows = BillingAccount.objects.select_for_update(skip_locked=not is_waiting_for_locks)
        rows = rows.filter(may_be_asked, pk__in=patient_ids).order_by("pk")
        status_by_id = dict(rows.values_list("pk", "status"))
        failed = [pk for pk, status in status_by_id.items() if status == AccountStatus.FAILED]
        BillingAccount.objects.filter(pk__in=failed).update(
            status=Case(
                When(account_id="", then=Value(AccountStatus.PENDING)),
                default=Value(AccountStatus.ACTIVE),
            ),
            attempts=0,
            last_error_code="",
            wanted_at=Now(),
            updated_at=Now(),
        )
        return BillingAccount.objects.filter(pk__in=list(status_by_id)).update(
            next_attempt_at=Now()
        )


def sweep_newest(*, limit: int) -> int:
    """Requests accounts for the newest patients that lack one; returns how many rows changed.

    Raw SQL sends no signal, so that its patients are found here.
    """
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST, [limit])
        ids = [row[0] for row in cursor.fetchall()]
    return request_accounts(ids) if ids else 0


def sweep_slice(after: UUID, *, limit: int) -> UUID:
    """Does the same for the next `limit` patients in the order of ids.

    Returns where to go on: FIRST_ID when the end was reached. A slice costs the same however many
    patients there are, so that it may run all day.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SLICE, {"after": after, "limit": limit})
        last, ids = cursor.fetchone()
    if ids:
        request_accounts(ids)
    return last or FIRST_ID
