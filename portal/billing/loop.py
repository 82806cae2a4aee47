"""The billing loop of the relay: opens accounts and keeps their details up to date."""

import time
from collections.abc import Callable, Sequence
from uuid import UUID

import structlog

from portal.billing.claims import (
    Claim,
    claim_due,
    mark_gone,
    mark_refused,
    mark_synced,
    postpone_claims,
    take_over_claims,
)
from portal.billing.client import (
    LARGEST_BATCH,
    Account,
    BillingAway,
    BillingClient,
    BillingError,
    BillingRefused,
    NoSuchAccount,
    OpenedAccount,
)
from portal.billing.orphans import close_orphans
from portal.billing.services import FIRST_ID, sweep_newest, sweep_slice
from portal.relay_loops import Round

log = structlog.get_logger("portal.billing")
PROBE_SECONDS = 2.0
SWEEP_SECONDS = 5.0
NEWEST, SLICE = 1_000, 5_000
GROWTH = 8


class BillingLoop:
    """While billing is away, one row every two seconds asks whether it is back; then all rows go at once.

    Where no row waits a health check asks, so that an idle system knows too. After an outage the batches grow from one
    row to 500, so that a slow server is not given more than it can do.
    """

    def __init__(
        self, client: BillingClient | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client, self._clock = client or BillingClient(), clock
        self._fence = 0
        self._is_whole = True  # The round before came to its end, and left no row claimed.
        self._batch = LARGEST_BATCH
        self._silent_until = float("-inf")
        self._heard_at = float("-inf")
        self._sweep_at = 0.0
        self._swept_to: UUID = FIRST_ID

    def step(self, fence: int) -> Round:
        if fence != self._fence or not self._is_whole:
            take_over_claims(fence=fence if self._is_whole else fence + 1)
            self._fence = fence
        self._is_whole = False
        round_ = self._round(fence)
        self._is_whole = True
        return round_

    def close(self) -> None:
        self._client.close()

    def _round(self, fence: int) -> Round:
        is_sweeping = self._sweep()
        if self._clock() < self._silent_until:
            return Round.AWAY
        limit = self._batch
        claims = claim_due(fence=fence, limit=limit)
        try:
            if claims:
                self._deliver(claims)
            else:
                self._probe()
            if (
                is_sweeping
            ):  # After what was claimed: an account must not be opened behind its closing.
                close_orphans(self._client)
        except BillingAway as error:
            self._fall_silent(error, claims)
            return Round.AWAY
        if not claims:
            return Round.IDLE
        return Round.MORE if len(claims) == limit else Round.DONE

    def _probe(self) -> None:
        """Ask whether billing is there, unless we have heard of it just now. BillingAway."""
        if self._clock() >= self._heard_at + PROBE_SECONDS:
            self._client.check()
            self._heard_at = self._clock()

    def _deliver(self, claims: Sequence[Claim]) -> None:
        """Every claim gets its answer; BillingAway when billing answers no more."""
        self._open([claim for claim in claims if not claim.account_id])
        self._update([claim for claim in claims if claim.account_id])
        self._batch = min(self._batch * GROWTH, LARGEST_BATCH)
        self._heard_at = self._clock()

    def _fall_silent(self, error: BillingAway, claims: Sequence[Claim]) -> None:
        """Put back what got no answer; rows that did get one are no longer claimed, and stay as they are."""
        self._batch, self._silent_until = 1, self._clock() + PROBE_SECONDS
        self._heard_at = float("-inf")
        self._client.close()  # The next probe connects anew, not when gRPC's own back-off allows it.
        postpone_claims(claims, error.code)
        log.warning("billing_away", code=error.code, waiting=len(claims))

    def _open(self, claims: Sequence[Claim]) -> None:
        """One call for all; where it is refused, halves find the row that spoils it. BillingAway stops it."""
        if not claims:
            return
        try:
            opened = self._client.open_accounts([claim.details for claim in claims])
        except BillingAway:
            raise
        except BillingError as error:
            self._open_in_halves(claims, error)
        else:
            versions = [_version(claim, one) for claim, one in zip(claims, opened, strict=True)]
            mark_synced(claims, [one.account for one in opened], versions)

    def _open_in_halves(self, claims: Sequence[Claim], error: BillingError) -> None:
        if len(claims) == 1:
            _set_aside(claims[0], error)
        else:
            half = len(claims) // 2
            self._open(claims[:half])
            self._open(claims[half:])

    def _update(self, claims: Sequence[Claim]) -> None:
        answers = list(
            zip(
                claims,
                self._client.update_accounts([claim.details for claim in claims]),
                strict=True,
            )
        )
        done = [(claim, answer) for claim, answer in answers if isinstance(answer, Account)]
        mark_synced(
            [claim for claim, _ in done],
            [account for _, account in done],
            [claim.details.version for claim, _ in done],
        )
        failed = [(claim, answer) for claim, answer in answers if isinstance(answer, BillingError)]
        for claim, error in failed:
            if not isinstance(error, BillingAway):
                _set_aside(claim, error)
        for _, error in failed:
            if isinstance(error, BillingAway):
                raise error

    def _sweep(self) -> bool:
        """Every few seconds look for patients that came past every door; whether this was the time."""
        if self._clock() < self._sweep_at:
            return False
        found = sweep_newest(limit=NEWEST)
        self._swept_to = sweep_slice(self._swept_to, limit=SLICE)
        self._sweep_at = self._clock() + SWEEP_SECONDS
        if found:
            log.info("billing_swept", found=found)
        return True


def _version(claim: Claim, opened: OpenedAccount) -> int:
    """An account that stands otherwise than asked for has yet to hear of the patient."""
    return claim.details.version if opened.is_current else 0


def _set_aside(claim: Claim, error: BillingError) -> None:
    if isinstance(error, BillingRefused):
        mark_refused(claim, error.code)
    elif isinstance(error, NoSuchAccount):
        mark_gone(claim)
    else:
        postpone_claims([claim], error.code)
