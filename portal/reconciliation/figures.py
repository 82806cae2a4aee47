"""The figures of a check: what each store holds, what waits, and how much of it differs."""

import resource
from typing import Any

from portal.reconciliation.difference_kinds import KINDS
from portal.reconciliation.peer_stores import PeerStores
from portal.reconciliation.stores import ANALYTICS, BILLING, LOG, OUTBOX, PATIENTS, TOPIC
from portal.reconciliation.workspace import Workspace

PROVEN = "not kept by the broker, for which analytics is the proof"
# The columns are patients, changes, what waits, and a number that only this store has.
_PORTAL_FIGURES = {
    PATIENTS: """
        SELECT count(*), coalesce(sum(version), 0), 0, count(*) FILTER (WHERE status <> 'active')
        FROM snap_patient""",
    LOG: """
        SELECT count(*), coalesce(sum(events), 0), 0, count(*) FILTER (WHERE is_deleted)
        FROM expected""",
    OUTBOX: """
        SELECT count(DISTINCT e.patient), count(*), count(*),
            (SELECT count(*) FROM snap_quarantined)
        FROM snap_waiting JOIN snap_event AS e USING (event_id)""",
}
# Another client of billing opened them, for patients that the portal does not know.
_TAKE_OUT_OTHER_CLIENTS = """
    WITH others AS (
        DELETE FROM all_account AS a
        WHERE a.patient IS NULL
            OR (a.version = 0 AND NOT EXISTS (SELECT FROM patients_patient WHERE id = a.patient))
        RETURNING 1)
    SELECT count(*) FROM others
"""
_PEER_FIGURES = {
    TOPIC: """
        SELECT count(DISTINCT patient), count(DISTINCT event_id), 0,
            count(*) - count(DISTINCT event_id)
        FROM all_message""",
    ANALYTICS: "SELECT count(*), coalesce(sum(counted), 0), 0, 0 FROM all_state",
    BILLING: "SELECT count(*), 0, 0, count(*) FILTER (WHERE is_closed) FROM all_account",
}
# These are counted while the tables still hold all patients.
_WHOLE_COUNTS = """
    SELECT (SELECT count(*) FROM snap_event AS e WHERE NOT is_held
            AND NOT EXISTS (SELECT FROM sent AS s WHERE s.event_id = e.event_id)),
        (SELECT count(*) FROM snap_account WHERE is_waiting),
        (SELECT count(*) FROM snap_account WHERE status = 'failed')
"""


class Figures:
    """An entry for each store, in the order in which changes flow; None is what is not known."""

    def __init__(self, space: Workspace, peers: PeerStores) -> None:
        """Counts the portal's stores, before anything is looked at again."""
        self._space, self._peers = space, peers
        [(self._not_kept, self._accounts_waiting, self._refused)] = space.rows(_WHOLE_COUNTS)
        self._of_other_clients = 0
        self.entries = [self._entry(store, query) for store, query in _PORTAL_FIGURES.items()]

    def complete(self, by_kind: dict[str, int]) -> None:
        """Adds the peers' entries, as they were seen last, and each store's differences."""
        self._of_other_clients = self._space.value(_TAKE_OUT_OTHER_CLIENTS)
        self.entries += [self._entry(store, query) for store, query in _PEER_FIGURES.items()]
        for entry in self.entries:
            store = entry["store"]
            entry["differences"] = sum(
                count for code, count in by_kind.items() if KINDS[code].store == store
            )
            if store in self._peers.away:
                entry.update(patients=None, changes=None, waiting=None, differences=None)
                entry["note"] = self._peers.away[store]

    def _entry(self, store: str, query: str) -> dict[str, Any]:
        [(patients, changes, waiting, own)] = self._space.rows(query)
        return {
            "store": store,
            "patients": patients,
            "changes": None if store == BILLING else int(changes),
            "waiting": self._accounts_waiting if store == BILLING else waiting,
            "note": ", ".join(filter(None, self._notes(store, int(own)))),
        }

    def _notes(self, store: str, own: int) -> list[str]:
        tally = self._peers.topic.tally
        not_kept = 0 if tally.is_whole else self._not_kept
        return {
            PATIENTS: [_note(own, "not active")],
            LOG: [_note(own, "deleted since")],
            OUTBOX: [_note(own, "in quarantine")],
            TOPIC: [
                _note(own, "sent again"),
                _note(tally.strays, "not ours"),
                _note(not_kept, PROVEN),
            ],
            ANALYTICS: [_note(len(self._peers.audit), "figures that differ")],
            BILLING: [
                _note(own, "closed"),
                _note(self._refused, "refused"),
                _note(self._of_other_clients, "of other clients, for patients unknown here"),
            ],
        }[store]


def peak_memory_mb() -> int:
    """Returns the most memory that this process has used so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _note(number: int, text: str) -> str:
    return f"{number:,} {text}" if number else ""
