"""Orphaned accounts: those of deleted patients are closed at billing, then forgotten here."""

import structlog

from portal.billing.client import BillingAway, BillingClient, BillingError, NoSuchAccount
from portal.billing.models import OrphanedAccount
from portal.patients.models import Patient

log = structlog.get_logger("portal.billing")
ORPHANS_PER_ROUND = 100


def close_orphans(client: BillingClient) -> int:
    """Closes up to ORPHANS_PER_ROUND accounts, oldest first; returns how many are done.

    Raises BillingAway when billing answers no more; doing it again is safe. A patient who still
    exists keeps the account: then only our row was deleted, and the sweep makes it anew.
    """
    orphans = list(OrphanedAccount.objects.all()[:ORPHANS_PER_ROUND])
    patients = Patient.objects.filter(pk__in=[orphan.pk for orphan in orphans])
    existing = set(patients.values_list("pk", flat=True))
    return sum(_close(client, orphan, has_patient=orphan.pk in existing) for orphan in orphans)


def _close(client: BillingClient, orphan: OrphanedAccount, *, has_patient: bool) -> bool:
    try:
        if not has_patient:
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
