"""Idempotency keys: for a day, one key of one user means one registration, and one answer."""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from portal.accounts.models import User
from portal.errors import InFlight, Unprocessable
from portal.patients.models import IdempotencyKey, Patient

HOURS = 24


def claim_key(
    key: str, details: Mapping[str, Any], *, by: User | None, waits: bool
) -> IdempotencyKey:
    """The row of this key, ours until the transaction ends; it names a patient if one was registered with it.

    While another transaction has the key: wait for its end, or InFlight. Unprocessable if the details differ.
    """
    _hold(key, by, waits=waits)
    digest = hashlib.sha256(
        json.dumps(details, sort_keys=True, cls=DjangoJSONEncoder).encode()
    ).hexdigest()
    _old_keys().filter(user=by, key=key).delete()
    row, _ = IdempotencyKey.objects.select_related("patient").get_or_create(
        user=by, key=key, defaults={"digest": digest}
    )
    if row.digest != digest:
        raise Unprocessable(
            "This Idempotency-Key was used for another registration. Take a new key."
        )
    return row


def keep_answer(
    patient: Patient, key: str, *, by: User | None, answer: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """What this key was answered the first time; `answer` is asked then, in the caller's transaction, and kept."""
    row = IdempotencyKey.objects.filter(user=by, key=key, patient=patient).first() if key else None
    if row is None:
        return answer()
    if row.answer is None:
        row.answer = answer()
        row.save(update_fields=["answer"])
    return row.answer


def forget_keys() -> int:
    """Take away the keys that are more than a day old; how many those were."""
    return _old_keys().delete()[0]


def _hold(key: str, by: User | None, *, waits: bool) -> None:
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
    return IdempotencyKey.objects.filter(created_at__lt=timezone.now() - timedelta(hours=HOURS))
