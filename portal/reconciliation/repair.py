"""What heals differences. Each step may be done twice, or be cut off, without harm, while the system works."""

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
from portal.reconciliation.difference_kinds import KINDS, Remedy
from portal.reconciliation.states import StatesClient
from portal.reconciliation.stores import StoreAway
from portal.reconciliation.workspace import Workspace

log = structlog.get_logger("portal.reconciliation")
CHUNK = 500  # Patients in one call, and in one line of the log.
_PATIENTS = "SELECT DISTINCT patient FROM difference WHERE patient IS NOT NULL AND kind = ANY(%s) ORDER BY patient"
Carry = Callable[[Sequence[UUID]], int]


class Repair:
    """Carries out the remedies for what is in the table `difference`, in the order of `Remedy`."""

    def __init__(self, space: Workspace, *, by: User | None) -> None:
        self._space, self._by = space, by
        self._states, self._billing = StatesClient(), BillingClient()
        self.done: Counter[Remedy] = Counter()
        self.not_done: dict[Remedy, str] = {}

    def carry_out(self) -> None:
        """A remedy whose store is away is left for the next time; the others go on."""
        steps: dict[Remedy, Carry] = {
            Remedy.RECORD: lambda ids: restore_log(ids, by=self._by),
            Remedy.RECORD_DELETION: lambda ids: restore_deletions(ids, by=self._by),
            Remedy.FORGET: self._forget,
            Remedy.RESEND: _resend,
            Remedy.RECOUNT: self._forget,
            Remedy.ASK: lambda ids: request_again(ids),
            Remedy.REOPEN: lambda ids: request_again(ids, forget_account=True),
            Remedy.CLOSE: self._close,
        }
        with closing(self._states), closing(self._billing):
            for remedy, step in steps.items():
                try:
                    self._take(remedy, step)
                except StoreAway as error:
                    self.not_done[remedy] = str(error)

    def as_json(self) -> list[dict[str, Any]]:
        """What was done, and what could not be."""
        done = [
            {"what": remedy.value, "count": count} for remedy, count in self.done.items() if count
        ]
        return done + [
            {"what": remedy.value, "count": 0, "problem": words}
            for remedy, words in self.not_done.items()
        ]

    def _take(self, remedy: Remedy, step: Carry) -> None:
        codes = [kind.code for kind in KINDS.values() if remedy in kind.remedies]
        if remedy is Remedy.RECOUNT:
            if self._space.value("SELECT count(*) FROM difference WHERE kind = ANY(%s)", [codes]):
                self._keep(remedy, [], step([]))
            return
        for patients in self._space.chunks(_PATIENTS, [codes], size=CHUNK):
            self._keep(remedy, patients, step(patients))

    def _keep(self, remedy: Remedy, patients: Sequence[UUID], count: int) -> None:
        self.done[remedy] += count
        actor = self._by.pk if self._by else None
        ids = [str(one) for one in patients]
        log.warning(
            "reconcile_repaired",
            remedy=remedy.name.lower(),
            count=count,
            patient_ids=ids,
            actor=actor,
        )

    def _forget(self, patient_ids: Sequence[UUID]) -> int:
        changed = self._states.recount(patient_ids)
        return len(patient_ids) or changed

    def _close(self, patient_ids: Sequence[UUID]) -> int:
        return sum(map(self._close_one, patient_ids))

    def _close_one(self, patient_id: UUID) -> bool:
        try:
            self._billing.close_account(patient_id)
        except NoSuchAccount:
            return False
        except BillingError as error:
            raise StoreAway(
                "Billing does not answer. See BILLING_GRPC_ADDRESS, and repair again."
            ) from error
        return True


def _resend(patient_ids: Sequence[UUID]) -> int:
    with transaction.atomic():
        return replay_patients(patient_ids)
