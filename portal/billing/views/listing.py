"""The page of accounts by state: it follows what waits, and has billing asked again."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from portal.accounts.polling import polled
from portal.accounts.rules import allow, user_of
from portal.billing.models import AccountStatus
from portal.billing.selectors import (
    accounts_by_status,
    accounts_in,
    billing_state,
    failed_ids,
    is_billing_away,
    states_of,
)
from portal.billing.services import retry_accounts
from portal.errors import InvalidInput
from portal.patients.models import Source

PAGE_SIZE = 50  # Accounts.
POLL_SECONDS = 2  # Between two looks of the page while something waits.
POLL_SECONDS_AWAY = 10  # The same while billing does not answer: hours may pass.
UNSETTLED = [AccountStatus.PENDING, AccountStatus.FAILED]  # These have tries, and a next one.
IN_ORDER = [*UNSETTLED, AccountStatus.ACTIVE, AccountStatus.CLOSED]


@allow("billing.view_billingaccount")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Shows the accounts of a state; without one the failed, or where none failed the pending."""
    figures = _figures()
    state = _parse_state(request.GET.get("state", "")) or _default_state(figures["counts"])
    after = request.GET.get("after", "")
    page = accounts_in(
        state, user=user_of(request), channel=Source.PORTAL, after=after, limit=PAGE_SIZE
    )
    next_query = urlencode({"state": state, "after": page.next_cursor}) if page.next_cursor else ""
    may_retry = request.user.has_perm("billing.retry_billingaccount")
    context = {
        **figures,
        **_state_context(state),
        "page": page,
        "after": after,
        "next_query": next_query,
        "is_retrying": may_retry and state in UNSETTLED,
    }
    return render(request, "billing/index.html", context)


@polled
@allow("billing.view_billingaccount")
@require_safe
def states(request: HttpRequest) -> HttpResponse:
    """Answers an open page that asks by itself: the counts and its rows' states, without names."""
    shown_ids = _parse_ids(request.GET.getlist("shown"))[:PAGE_SIZE]
    state = _parse_state(request.GET.get("state", "")) or AccountStatus.PENDING
    context = {
        **_figures(),
        **_state_context(state),
        "accounts": states_of(shown_ids, user=user_of(request)),
    }
    return render(request, "billing/states.html", context)


@allow("billing.retry_billingaccount")
@require_POST
def retry_many(request: HttpRequest) -> HttpResponse:
    """Makes the relay ask again for the row of the pressed button, ticked rows, or all failed."""
    form, user = request.POST, user_of(request)
    if "all_failed" in form:
        ids = failed_ids(user=user)
    else:
        ids = _parse_ids([form["only"]] if "only" in form else form.getlist("chosen"))
    if ids:
        count = retry_accounts(ids, by=user)
        text = f"Billing is asked again for {_accounts(count)}."
        if count < len(ids):
            text += " The others need nothing, or are being asked for at this moment."
        messages.success(request, text)
    else:
        messages.warning(request, "Nothing was asked: no account was chosen.")
    state = _parse_state(form.get("state", ""))
    return redirect(reverse("billing:list") + (f"?state={state}" if state else ""))


def _figures() -> dict[str, Any]:
    """Returns the counts by state, what waits, and in how many seconds to look again (0: never)."""
    counts, backlog = accounts_by_status(), billing_state()
    poll_seconds = 0
    if backlog.waiting:
        poll_seconds = POLL_SECONDS_AWAY if is_billing_away() else POLL_SECONDS
    return {
        "tiles": [{"state": state, "count": counts[state]} for state in IN_ORDER],
        "counts": counts,
        "backlog": backlog,
        "poll_seconds": poll_seconds,
    }


def _state_context(state: AccountStatus) -> dict[str, Any]:
    return {"state": state, "is_unsettled": state in UNSETTLED}


def _parse_state(text: str) -> AccountStatus | None:
    return AccountStatus(text) if text in AccountStatus.values else None


def _default_state(counts: dict[str, int]) -> AccountStatus:
    return AccountStatus.FAILED if counts[AccountStatus.FAILED] else AccountStatus.PENDING


def _accounts(count: int) -> str:
    return "1 account" if count == 1 else f"{count:,} accounts"


def _parse_ids(texts: list[str]) -> list[UUID]:
    try:
        return [UUID(text) for text in texts]
    except ValueError as error:
        raise InvalidInput("This page is not complete. Reload it and try again.") from error
