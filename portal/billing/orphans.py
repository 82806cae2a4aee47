"""Accounts of patients whose records are gone for good: closed at billing, then forgotten here."""

import structlog

from portal.billing.client import BillingAway, BillingClient, BillingError, NoSuchAccount
from portal.billing.models import OrphanedAccount
from portal.patients.models import Patient

log = structlog.get_logger("portal.billing")
ORPHANS_PER_ROUND = 100


def close_orphans(client: BillingClient) -> int:
    """Close up to LIMIT of them, oldest first; how many are done. BillingAway stops it, and doing it again is safe.

    A patient who is here after all keeps the account: then only our row was deleted, and the sweep makes it anew.
    """
    waiting = list(OrphanedAccount.objects.all()[:ORPHANS_PER_ROUND])
    here = set(
        Patient.objects.filter(pk__in=[one.pk for one in waiting]).values_list("pk", flat=True)
    )
    return sum(_let_go(client, one, is_here=one.pk in here) for one in waiting)


def _let_go(client: BillingClient, orphan: OrphanedAccount, *, is_here: bool) -> bool:
    try:
        if not is_here:
            client.close_account(orphan.pk)
            log.info("billing_orphan_closed", patient_id=str(orphan.pk))
    except NoSuchAccount:
        pass  # It was never opened.
    except BillingAway:
        raise
    except BillingError as error:
        log.error("billing_orphan_refused", patient_id=str(orphan.pk), code=error.code)
        return False
    orphan.delete()
    return True
