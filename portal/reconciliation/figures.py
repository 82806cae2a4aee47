"""The figures of a check: what each store holds, what waits, and how much of it differs."""

import resource
from typing import Any

from portal.reconciliation.difference_kinds import KINDS
from portal.reconciliation.peer_stores import PeerStores
from portal.reconciliation.stores import ANALYTICS, BILLING, LOG, OUTBOX, PATIENTS, TOPIC
from portal.reconciliation.workspace import Workspace

PROVEN = "not kept by the broker, for which analytics is the proof"
# Each row: patients, changes, what waits, and one number of the store's own.
_OURS = {
    PATIENTS: """
        SELECT count(*), coalesce(sum(version), 0), 0, count(*) FILTER (WHERE status <> 'active')
        FROM snap_patient""",
    LOG: "SELECT count(*), coalesce(sum(events), 0), 0, count(*) FILTER (WHERE is_deleted) FROM expected",
    OUTBOX: """
        SELECT count(DISTINCT e.patient), count(*), count(*), (SELECT count(*) FROM snap_quarantined)
        FROM snap_waiting JOIN snap_event AS e USING (event_id)""",
}
_THEIRS = {
    TOPIC: """
        SELECT count(DISTINCT patient), count(DISTINCT event_id), 0, count(*) - count(DISTINCT event_id)
        FROM all_message""",
    ANALYTICS: "SELECT count(*), coalesce(sum(counted), 0), 0, 0 FROM all_state",
    BILLING: "SELECT count(*), 0, 0, count(*) FILTER (WHERE is_closed) FROM all_account",
}
# Counted while the tables still hold everybody.
_ASIDE = """
    SELECT (SELECT count(*) FROM snap_event AS e WHERE NOT is_held
            AND NOT EXISTS (SELECT FROM sent AS s WHERE s.event_id = e.event_id)),
        (SELECT count(*) FROM snap_account WHERE is_waiting),
        (SELECT count(*) FROM snap_account WHERE status = 'failed')
"""


class Figures:
    """One entry for each store, in the order in which changes flow; None for what a store does not tell."""

    def __init__(self, space: Workspace, neighbours: PeerStores) -> None:
        """The portal's own, as they were at its moment: before anything is looked at again."""
        self._space, self._neighbours = space, neighbours
        [(self._not_kept, self._accounts_waiting, self._refused)] = space.rows(_ASIDE)
        self.entries = [self._entry(store, statement) for store, statement in _OURS.items()]

    def complete(self, by_kind: dict[str, int]) -> None:
        """The neighbours', as they were seen last, and how many differences each store has."""
        self.entries += [self._entry(store, statement) for store, statement in _THEIRS.items()]
        for entry in self.entries:
            store = entry["store"]
            entry["differences"] = sum(
                count for code, count in by_kind.items() if KINDS[code].store == store
            )
            if store in self._neighbours.away:
                entry.update(patients=None, changes=None, waiting=None, differences=None)
                entry["note"] = self._neighbours.away[store]

    def _entry(self, store: str, statement: str) -> dict[str, Any]:
        [(patients, changes, waiting, own)] = self._space.rows(statement)
        return {
            "store": store,
            "patients": patients,
            "changes": None if store == BILLING else int(changes),
            "waiting": self._accounts_waiting if store == BILLING else waiting,
            "note": ", ".join(filter(None, self._notes(store, int(own)))),
        }

    def _notes(self, store: str, own: int) -> list[str]:
        tally = self._neighbours.topic.tally
        not_kept = 0 if tally.is_whole else self._not_kept
        return {
            PATIENTS: [_say(own, "not active")],
            LOG: [_say(own, "deleted since")],
            OUTBOX: [_say(own, "in quarantine")],
            TOPIC: [
                _say(own, "sent again"),
                _say(tally.strays, "not ours"),
                _say(not_kept, PROVEN),
            ],
            ANALYTICS: [_say(len(self._neighbours.audit), "figures that differ")],
            BILLING: [_say(own, "closed"), _say(self._refused, "refused")],
        }[store]


def peak_memory_mb() -> int:
    """The most that this process has used so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _say(number: int, words: str) -> str:
    return f"{number:,} {words}" if number else ""
