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
PROBE_SECONDS = 2.0  # Between two attempts to reach billing while it is away or nothing waits.
SWEEP_SECONDS = 5.0  # Between two looks for patients without an account.
NEWEST, SLICE = 1_000, 5_000  # Patients in one look: the newest, and the next by id.
GROWTH = 8  # After an outage each batch is this many times as large as the one before.


class BillingLoop:
    """Tells billing of what waits, in batches, and notices whether billing is there.

    While billing is away, one row every two seconds is tried; once that works, all rows go. Where
    no row waits, a health check is made, so that an idle system knows too. After an outage the
    batches grow from one row to 500, so that a slow server does not get more than it can do.
    """

    def __init__(
        self, client: BillingClient | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client, self._clock = client or BillingClient(), clock
        self._fence = 0
        self._is_whole = True  # The last round came to its end, and left no row claimed.
        self._batch_size = LARGEST_BATCH
        self._paused_until = float("-inf")
        self._answered_at = float("-inf")
        self._sweep_at = 0.0
        self._swept_to: UUID = FIRST_ID

    def step(self, fence: int) -> Round:
        if fence != self._fence or not self._is_whole:
            # After a round that broke, rows may still be claimed under our own number; then a
            # number above it takes those over, too.
            take_over_claims(fence=fence if self._is_whole else fence + 1)
            self._fence = fence
        self._is_whole = False
        outcome = self._run_round(fence)
        self._is_whole = True
        return outcome

    def close(self) -> None:
        self._client.close()

    def _run_round(self, fence: int) -> Round:
        is_sweeping = self._sweep()
        if self._clock() < self._paused_until:
            return Round.AWAY
        limit = self._batch_size
        claims = claim_due(fence=fence, limit=limit)
        try:
            if claims:
                self._deliver(claims)
            else:
                self._probe()
            if is_sweeping:
                # After the claims: an account must not be opened after it was closed.
                close_orphans(self._client)
        except BillingAway as error:
            self._pause(error, claims)
            return Round.AWAY
        if not claims:
            return Round.IDLE
        return Round.MORE if len(claims) == limit else Round.DONE

    def _probe(self) -> None:
        """Raises BillingAway where billing is away; asks only if it has not just answered."""
        if self._clock() >= self._answered_at + PROBE_SECONDS:
            self._client.check()
            self._answered_at = self._clock()

    def _deliver(self, claims: Sequence[Claim]) -> None:
        """Stores an answer for every claim; raises BillingAway when billing answers no more."""
        self._open([claim for claim in claims if not claim.account_id])
        self._update([claim for claim in claims if claim.account_id])
        self._batch_size = min(self._batch_size * GROWTH, LARGEST_BATCH)
        self._answered_at = self._clock()

    def _pause(self, error: BillingAway, claims: Sequence[Claim]) -> None:
        """Puts off what got no answer; rows that got one are no longer claimed, and stay so."""
        self._batch_size, self._paused_until = 1, self._clock() + PROBE_SECONDS
        self._answered_at = float("-inf")
        self._client.close()  # The next probe connects at once, not after gRPC's own back-off.
        postpone_claims(claims, error.code)
        log.warning("billing_away", code=error.code, waiting=len(claims))

    def _open(self, claims: Sequence[Claim]) -> None:
        """Opens all in one call; where that is refused, it finds the row that spoils it by halves.

        Raises BillingAway when billing answers no more.
        """
        if not claims:
            return
        try:
            opened = self._client.open_accounts([claim.details for claim in claims])
        except BillingAway:
            raise
        except BillingError as error:
            self._open_in_halves(claims, error)
        else:
            versions = [
                _known_version(claim, answer) for claim, answer in zip(claims, opened, strict=True)
            ]
            mark_synced(claims, [answer.account for answer in opened], versions)

    def _open_in_halves(self, claims: Sequence[Claim], error: BillingError) -> None:
        if len(claims) == 1:
            _mark_failed(claims[0], error)
        else:
            half = len(claims) // 2
            self._open(claims[:half])
            self._open(claims[half:])

    def _update(self, claims: Sequence[Claim]) -> None:
        answers = self._client.update_accounts([claim.details for claim in claims])
        done: list[Claim] = []
        accounts: list[Account] = []
        away: BillingAway | None = None
        failed: list[tuple[Claim, BillingError]] = []
        for claim, answer in zip(claims, answers, strict=True):
            if isinstance(answer, Account):
                done.append(claim)
                accounts.append(answer)
            elif isinstance(answer, BillingAway):
                away = away or answer
            else:
                failed.append((claim, answer))
        mark_synced(done, accounts, [claim.details.version for claim in done])
        for claim, error in failed:
            _mark_failed(claim, error)
        if away:
            raise away

    def _sweep(self) -> bool:
        """Looks every few seconds for patients that came by raw SQL; tells whether it did now."""
        if self._clock() < self._sweep_at:
            return False
        found = sweep_newest(limit=NEWEST)
        self._swept_to = sweep_slice(self._swept_to, limit=SLICE)
        self._sweep_at = self._clock() + SWEEP_SECONDS
        if found:
            log.info("billing_swept", found=found)
        return True


def _known_version(claim: Claim, opened: OpenedAccount) -> int:
    """Returns the version that billing has; 0 where its account differs and needs an update."""
    return claim.details.version if opened.is_current else 0


def _mark_failed(claim: Claim, error: BillingError) -> None:
    if isinstance(error, BillingRefused):
        mark_refused(claim, error.code)
    elif isinstance(error, NoSuchAccount):
        mark_gone(claim)
    else:
        postpone_claims([claim], error.code)
