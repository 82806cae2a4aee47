"""The repair of differences, while the system works.

Each step may be done twice, or be cut off, without harm.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction

from portal.accounts.models import User
from portal.billing.client import BillingClient, BillingError, NoSuchAccount
from portal.billing.services import request_again
from portal.events.replay import replay_patients
from portal.patients.log_repair import restore_deletions, restore_log
from portal.patients.number_series import continue_numbers, database_identity
from portal.reconciliation.difference_kinds import KINDS, Remedy
from portal.reconciliation.states import StatesClient
from portal.reconciliation.stores import StoreAway
from portal.reconciliation.workspace import Workspace

log = structlog.get_logger("portal.reconciliation")
CHUNK = 500  # Patients in one call, and in one line of the log.
_BILLING_AWAY = "Billing does not answer. See BILLING_GRPC_ADDRESS, and repair again."
_PATIENTS = """
    SELECT DISTINCT patient FROM difference
    WHERE patient IS NOT NULL AND kind = ANY(%s) ORDER BY patient
"""
_LAST_EVENT = "SELECT max(event_id) FROM difference WHERE kind = 'numbers-behind'"
_OF_NOBODY = {Remedy.RECOUNT, Remedy.CONTINUE}  # What they mend belongs to no patient.
_COUNT = "SELECT count(*) FROM difference WHERE kind = ANY(%s)"
Step = Callable[[Sequence[UUID]], int]  # Carries a remedy out; returns how much it did.


class Repair:
    """Carries out the remedies for what is in the table `difference`, in the order of `Remedy`."""

    def __init__(self, space: Workspace, *, by: User | None) -> None:
        self._space, self._by = space, by
        self._states, self._billing = StatesClient(), BillingClient()
        self.done: Counter[Remedy] = Counter()
        self.not_done: dict[Remedy, str] = {}

    def carry_out(self) -> None:
        """Carries out all remedies but those whose store is away: the next repair has those."""
        steps: dict[Remedy, Step] = {
            Remedy.CONTINUE: self._continue_numbers,  # First: what follows takes numbers.
            Remedy.RECORD: lambda ids: restore_log(ids, by=self._by),
            Remedy.RECORD_DELETION: lambda ids: restore_deletions(ids, by=self._by),
            Remedy.FORGET: self._forget,
            Remedy.RESEND: _resend,
            Remedy.RECOUNT: self._forget,
            Remedy.ASK: request_again,
            Remedy.REOPEN: lambda ids: request_again(ids, forget_account=True),
            Remedy.CLOSE: self._close_accounts,
        }
        with closing(self._states), closing(self._billing):
            for remedy, step in steps.items():
                try:
                    self._apply(remedy, step)
                except StoreAway as error:
                    self.not_done[remedy] = str(error)

    def as_json(self) -> list[dict[str, Any]]:
        """Returns what was done, and then what could not be done and why."""
        done = [
            {"what": remedy.value, "count": count} for remedy, count in self.done.items() if count
        ]
        not_done = [
            {"what": remedy.value, "count": 0, "problem": problem}
            for remedy, problem in self.not_done.items()
        ]
        return done + not_done

    def _apply(self, remedy: Remedy, step: Step) -> None:
        codes = [kind.code for kind in KINDS.values() if remedy in kind.remedies]
        if remedy in _OF_NOBODY:
            if self._space.value(_COUNT, [codes]):
                self._record(remedy, [], step([]))
            return
        for patients in self._space.chunks(_PATIENTS, [codes], size=CHUNK):
            self._record(remedy, patients, step(patients))

    def _record(self, remedy: Remedy, patients: Sequence[UUID], count: int) -> None:
        self.done[remedy] += count
        log.warning(
            "reconcile_repaired",
            remedy=remedy.name.lower(),
            count=count,
            patient_ids=[str(patient) for patient in patients],
            actor=self._by.pk if self._by else None,
        )

    def _forget(self, patient_ids: Sequence[UUID]) -> int:
        changed = self._states.recount(patient_ids)
        return len(patient_ids) or changed

    def _continue_numbers(self, _patient_ids: Sequence[UUID]) -> int:
        event_ids = [self._space.value(_LAST_EVENT)]
        return continue_numbers(event_ids, identity=database_identity())

    def _close_accounts(self, patient_ids: Sequence[UUID]) -> int:
        return sum(map(self._close_account, patient_ids))

    def _close_account(self, patient_id: UUID) -> bool:
        try:
            self._billing.close_account(patient_id)
        except NoSuchAccount:
            return False
        except BillingError as error:
            raise StoreAway(_BILLING_AWAY) from error
        return True


def _resend(patient_ids: Sequence[UUID]) -> int:
    with transaction.atomic():
        return replay_patients(patient_ids)
