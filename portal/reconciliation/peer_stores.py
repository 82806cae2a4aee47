"""The three stores outside of the portal's database, read side by side into the workspace."""

import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any
from uuid import UUID

from django.db import DataError

from portal.billing.client import BillingClient
from portal.reconciliation import accounts
from portal.reconciliation.states import StatesClient
from portal.reconciliation.stores import ANALYTICS, BILLING, TOPIC, StoreAway
from portal.reconciliation.topic import TopicReader
from portal.reconciliation.workspace import Workspace

# The table that each store is read into, and PostgreSQL's format of the lines.
TABLES = {
    TOPIC: ("read_message", "text"),
    ANALYTICS: ("read_state", "csv"),
    BILLING: ("read_account", "text"),
}
Read = Callable[[IO[bytes]], None]


class PeerStores:
    """Reads the peers; `away` has each one that failed, with what to do. It is not asked again."""

    def __init__(self) -> None:
        self.topic, self.states, self.billing = TopicReader(), StatesClient(), BillingClient()
        self.away: dict[str, str] = {}
        self.audit: list[dict[str, Any]] = []

    def read_all(self, space: Workspace) -> None:
        """Reads all three at once, each at its own pace into a file, so that no memory fills."""
        reads: dict[str, Read] = {
            TOPIC: self.topic.read_on,
            ANALYTICS: self._read_states,
            BILLING: lambda lines: accounts.read_all(self.billing, lines),
        }
        self._load(space, reads)

    def read_candidates(
        self, space: Workspace, patient_ids: Sequence[UUID], stores: Sequence[str]
    ) -> None:
        """Reads what these stores have of these patients now; from the topic, what came since."""
        reads: dict[str, Read] = {
            TOPIC: self.topic.read_on,
            ANALYTICS: lambda lines: self.states.read(patient_ids, lines),
            BILLING: lambda lines: accounts.read(self.billing, patient_ids, lines),
        }
        space.empty(*(TABLES[store][0] for store in stores if store != TOPIC))
        self._load(space, {store: reads[store] for store in stores})

    def close(self) -> None:
        self.topic.close()
        self.states.close()
        self.billing.close()

    def _read_states(self, lines: IO[bytes]) -> None:
        self.states.read_all(lines)
        self.audit = self.states.audit()

    def _load(self, space: Workspace, reads: dict[str, Read]) -> None:
        asked = [store for store in reads if store not in self.away]
        with ThreadPoolExecutor(max_workers=3) as threads:
            answers = {store: threads.submit(_spool, reads[store]) for store in asked}
        for store, answer in answers.items():
            table, form = TABLES[store]
            try:
                with answer.result() as lines:
                    space.copy(table, lines, form=form)
            except StoreAway as error:
                self.away[store] = str(error)
            except DataError:
                self.away[store] = (
                    f"What {store} answers cannot be read. Run all parts in one version."
                )


def _spool(read: Read) -> IO[bytes]:
    """Reads a store into a file without a name; the caller closes it."""
    lines = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    try:
        read(lines)
    except BaseException:
        lines.close()
        raise
    return lines
