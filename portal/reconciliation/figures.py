"""The figures of a check: what each store holds, what waits, and how much of it differs."""

import resource
from typing import Any

from portal.reconciliation.kinds import KINDS
from portal.reconciliation.neighbours import Neighbours
from portal.reconciliation.stores import ALL, ANALYTICS, BILLING, LOG, OUTBOX, PATIENTS, TOPIC
from portal.reconciliation.workspace import Workspace

# Each row: patients, changes, what waits, and two numbers of the store's own.
_COUNTS = {
    PATIENTS: """
        SELECT count(*), coalesce(sum(version), 0), 0, count(*) FILTER (WHERE status <> 'active'), 0
        FROM snap_patient""",
    LOG: "SELECT count(*), coalesce(sum(events), 0), 0, count(*) FILTER (WHERE is_deleted), 0 FROM expected",
    OUTBOX: """
        SELECT count(DISTINCT e.patient), count(*), count(*), (SELECT count(*) FROM snap_quarantined), 0
        FROM snap_waiting JOIN snap_event AS e USING (event_id)""",
    TOPIC: """
        SELECT count(DISTINCT patient), count(DISTINCT event_id), 0, coalesce(sum(times), 0) - count(DISTINCT event_id),
            (SELECT count(*) FROM snap_event AS e WHERE NOT is_held
             AND NOT EXISTS (SELECT FROM sent AS s WHERE s.event_id = e.event_id))
        FROM sent""",
    ANALYTICS: "SELECT count(*), coalesce(sum(counted), 0), 0, 0, 0 FROM read_state",
    BILLING: """
        SELECT count(*), 0, (SELECT count(*) FROM snap_account WHERE is_waiting), count(*) FILTER (WHERE is_closed),
            (SELECT count(*) FROM snap_account WHERE status = 'failed')
        FROM read_account""",
}  # fmt: skip


def count(space: Workspace, neighbours: Neighbours) -> list[dict[str, Any]]:
    """One entry for each store, in the order in which changes flow. None for what a store does not tell."""
    return [_entry(store, space, neighbours) for store in ALL]


def add_differences(entries: list[dict[str, Any]], by_kind: dict[str, int], away: dict[str, str]) -> None:
    """How many differences each store has; None, and what to do, for a store that could not be read to the end."""
    for entry in entries:
        store = entry["store"]
        entry["differences"] = sum(count for code, count in by_kind.items() if KINDS[code].store == store)
        if store in away:
            entry["differences"], entry["note"] = None, away[store]


def peak_memory_mb() -> int:
    """The most that this process has used so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _entry(store: str, space: Workspace, neighbours: Neighbours) -> dict[str, Any]:
    if store in neighbours.away:
        return {"store": store, "patients": None, "changes": None, "waiting": None, "note": ""}
    [(patients, changes, waiting, *own)] = space.rows(_COUNTS[store])
    return {
        "store": store,
        "patients": patients,
        "changes": None if store == BILLING else int(changes),
        "waiting": waiting,
        "note": _note(store, [int(one) for one in own], neighbours),
    }


def _note(store: str, own: list[int], neighbours: Neighbours) -> str:
    first, second = own
    tally = neighbours.topic.tally
    parts = {
        PATIENTS: [_say(first, "not active")],
        LOG: [_say(first, "deleted since")],
        OUTBOX: [_say(first, "in quarantine")],
        TOPIC: [
            _say(first, "sent again"),
            _say(tally.strays, "not ours"),
            "" if tally.is_whole else f"keeps a window: {second:,} not kept, for which analytics is the proof",
        ],
        ANALYTICS: [_say(len(neighbours.audit), "figures that differ")],
        BILLING: [_say(first, "closed"), _say(second, "refused")],
    }[store]
    return ", ".join(filter(None, parts))


def _say(number: int, words: str) -> str:
    return f"{number:,} {words}" if number else ""
