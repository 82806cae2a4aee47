"""Idempotency keys: for a day, a key of a user means one registration and one answer."""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from portal.accounts.models import User
from portal.errors import InFlight, KeyUsed
from portal.patients.models import IdempotencyKey, Patient
from portal.prepared import execute_prepared

HOURS = 24  # that a key is kept
# A key that is too old is as good as new. No row comes back of one that was claimed before.
_CLAIM = """
    (bigint, text, text, timestamptz) AS
    INSERT INTO patients_idempotencykey AS claimed (user_id, key, digest) VALUES ($1, $2, $3)
    ON CONFLICT ON CONSTRAINT one_use_per_key DO UPDATE
    SET digest = EXCLUDED.digest, patient_id = NULL, answer = NULL, created_at = DEFAULT
    WHERE claimed.created_at < $4
    RETURNING id
"""
_GIVE = """
    (bigint, uuid) AS UPDATE patients_idempotencykey SET patient_id = $2 WHERE id = $1 RETURNING id
"""


def claim_key(
    key: str, details: Mapping[str, Any], *, by: User | None, waits: bool
) -> IdempotencyKey:
    """Returns the row of this key, locked until the transaction ends.

    It has the patient, if one was registered with the key. While another transaction holds the
    key, it waits for its end, or raises InFlight. KeyUsed if the details differ.
    """
    _lock_key(key, by, waits=waits)
    digest = hashlib.sha256(
        json.dumps(details, sort_keys=True, cls=DjangoJSONEncoder).encode()
    ).hexdigest()
    values = [by.pk if by else None, key, digest, _oldest()]
    if claimed := execute_prepared("claim_key", lambda: _CLAIM, values):
        [[row_id]] = claimed
        return IdempotencyKey(pk=row_id, user=by, key=key, digest=digest)
    row = IdempotencyKey.objects.select_related("patient").get(user=by, key=key)
    if row.digest != digest:
        raise KeyUsed("This Idempotency-Key was used for another registration. Take a new key.")
    return row


def give_key_its_patient(row: IdempotencyKey, patient: Patient) -> None:
    """Makes the key mean this patient from now on."""
    execute_prepared("give_key_its_patient", lambda: _GIVE, [row.pk, patient.pk])


def keep_answer(
    patient: Patient, key: str, *, by: User | None, answer: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """Returns the first answer to this key; calls `answer` and keeps it, if there is none yet."""
    row = IdempotencyKey.objects.filter(user=by, key=key, patient=patient).first() if key else None
    if row is None:
        return answer()
    if row.answer is None:
        row.answer = answer()
        row.save(update_fields=["answer"])
    return row.answer


def forget_keys() -> int:
    """Deletes the keys that are older than a day, and returns how many."""
    return _old_keys().delete()[0]


def _lock_key(key: str, by: User | None, *, waits: bool) -> None:
    take = "pg_advisory_xact_lock" if waits else "pg_try_advisory_xact_lock"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {take}(hashtextextended(%s, 1))", [f"{by.pk if by else ''}|{key}"])
        (held,) = cursor.fetchone()
    if held is False:
        raise InFlight(
            "A request with this Idempotency-Key is not done yet. Send it again in a moment.",
            retryAfter=1,
        )


def _old_keys() -> QuerySet[IdempotencyKey]:
    return IdempotencyKey.objects.filter(created_at__lt=_oldest())


def _oldest() -> datetime:
    return timezone.now() - timedelta(hours=HOURS)
