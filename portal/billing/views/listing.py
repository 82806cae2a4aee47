"""The accounts by state, followed while something waits, and asking billing again for one, some or all failed."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

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

PAGE_SIZE = 50
POLL_SECONDS = 2
POLL_SECONDS_AWAY = 10  # Billing did not answer: hours may pass.
OPEN = [AccountStatus.PENDING, AccountStatus.FAILED]
IN_ORDER = [*OPEN, AccountStatus.ACTIVE, AccountStatus.CLOSED]


@allow("billing.view_billingaccount")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The accounts of one state; at first the failed ones if there are any, else those that wait."""
    figures = _figures()
    state = _known(request.GET.get("state", "")) or _first(figures["counts"])
    after = request.GET.get("after", "")
    page = accounts_in(
        state, user=user_of(request), channel=Source.PORTAL, after=after, limit=PAGE_SIZE
    )
    next_query = urlencode({"state": state, "after": page.next_cursor}) if page.next_cursor else ""
    may_retry = request.user.has_perm("billing.retry_billingaccount")
    shown = {
        "page": page,
        "after": after,
        "next_query": next_query,
        "is_retrying": may_retry and state in OPEN,
    }
    return render(request, "billing/index.html", {**figures, **_state(state), **shown})


@allow("billing.view_billingaccount")
@require_safe
def states(request: HttpRequest) -> HttpResponse:
    """What a page that is open asks for by itself: the counts, and how its rows stand. It names nobody."""
    shown = states_of(_ids(request.GET.getlist("shown"))[:PAGE_SIZE], user=user_of(request))
    state = _known(request.GET.get("state", "")) or AccountStatus.PENDING
    return render(
        request, "billing/states.html", {**_figures(), **_state(state), "accounts": shown}
    )


@allow("billing.retry_billingaccount")
@require_POST
def retry_many(request: HttpRequest) -> HttpResponse:
    """Ask billing again for the row whose button was pressed, for those that are ticked, or for all that failed."""
    sent, user = request.POST, user_of(request)
    if "all_failed" in sent:
        ids = failed_ids(user=user)
    else:
        ids = _ids([sent["only"]] if "only" in sent else sent.getlist("chosen"))
    if ids:
        count = retry_accounts(ids, by=user)
        rest = (
            ""
            if count == len(ids)
            else " The others need nothing, or are being asked for at this moment."
        )
        messages.success(request, f"Billing is asked again for {_accounts(count)}.{rest}")
    else:
        messages.warning(request, "Nothing was asked: no account was chosen.")
    state = _known(sent.get("state", ""))
    return redirect(reverse("billing:list") + (f"?state={state}" if state else ""))


def _figures() -> dict[str, Any]:
    """Counts by state, what waits since when, and in how many seconds to look again (0: never)."""
    counts, behind = accounts_by_status(), billing_state()
    poll = (POLL_SECONDS_AWAY if is_billing_away() else POLL_SECONDS) if behind.waiting else 0
    tiles = [{"state": one, "count": counts[one]} for one in IN_ORDER]
    return {"tiles": tiles, "counts": counts, "behind": behind, "poll_seconds": poll}


def _state(state: AccountStatus) -> dict[str, Any]:
    """Which list it is; only open accounts have tries, and a next one."""
    return {"state": state, "is_open": state in OPEN}


def _known(text: str) -> AccountStatus | None:
    return AccountStatus(text) if text in AccountStatus.values else None


def _first(counts: dict[str, int]) -> AccountStatus:
    return AccountStatus.FAILED if counts[AccountStatus.FAILED] else AccountStatus.PENDING


def _accounts(count: int) -> str:
    return "1 account" if count == 1 else f"{count:,} accounts"


def _ids(texts: list[str]) -> list[UUID]:
    try:
        return [UUID(text) for text in texts]
    except ValueError as error:
        raise InvalidInput("This page is not complete. Reload it and try again.") from error
