"""The page of a patient's billing account: what billing answered last, and asking it again."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from portal.accounts.polling import polled
from portal.accounts.rules import allow, user_of
from portal.billing.models import AccountStatus, BillingAccount
from portal.billing.selectors import account_of, is_billing_away
from portal.billing.services import retry_account
from portal.errors import NotFound
from portal.patients.models import Source
from portal.patients.selectors import open_patient, patients_visible_to
from portal.patients.views.layout import patient_layout

POLL_SECONDS = 1  # Between two looks of the page while an answer is due.
POLL_SECONDS_AWAY = 10  # The same while billing does not answer: hours may pass.
LATE_SECONDS = 5  # After which an account that waits without a failed attempt counts as late.


@polled
@allow("billing.view_billingaccount")
@require_safe
def account(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Shows the tab. A poll gets the account's part alone: it names nobody and is no access."""
    if request.htmx:  # type: ignore[attr-defined]  # django-htmx sets it
        if not patients_visible_to(user_of(request)).filter(pk=patient_id).exists():
            raise NotFound("There is no patient at this address.")
        return render(
            request,
            "billing/account.html#account",
            {"patient_id": patient_id, **_account_context(patient_id)},
        )
    patient = open_patient(user_of(request), patient_id, channel=Source.PORTAL)
    context = {
        **patient_layout(request, patient, tab="billing:account"),
        "patient_id": patient_id,
        **_account_context(patient_id),
    }
    return render(request, "billing/account.html", context)


@allow("billing.retry_billingaccount")
@require_POST
def retry(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Makes the relay ask billing again at once; doing it twice opens one account."""
    retry_account(patient_id, by=user_of(request))
    return redirect("billing:account", patient_id)


def _account_context(patient_id: UUID) -> dict[str, Any]:
    """Returns the account, whether it waits, and in how many seconds to look again (0: never).

    An account is late when it waits for long though no attempt has failed: billing hangs, or has
    not been asked yet.
    """
    row = account_of(patient_id) or BillingAccount(patient_id=patient_id, wanted_version=1)
    is_waiting = row.status == AccountStatus.PENDING or row.next_attempt_at is not None
    is_away = is_waiting and (bool(row.last_error_code) or is_billing_away())
    is_late = (
        is_waiting
        and not is_away
        and row.wanted_at is not None
        and _seconds_since(row.wanted_at) > LATE_SECONDS
    )
    poll = (POLL_SECONDS_AWAY if is_away or is_late else POLL_SECONDS) if is_waiting else 0
    return {
        "account": row,
        "is_waiting": is_waiting,
        "is_away": is_away,
        "is_late": is_late,
        "poll_seconds": poll,
    }


def _seconds_since(moment: datetime) -> float:
    return (timezone.now() - moment).total_seconds()
