"""Differences that time may explain are looked at again, before they count."""

import time
from collections.abc import Sequence
from uuid import UUID

from portal.reconciliation import snapshot
from portal.reconciliation.comparison import compare
from portal.reconciliation.difference_kinds import KINDS
from portal.reconciliation.peer_stores import PeerStores
from portal.reconciliation.stores import ALL_STORES, ANALYTICS, BILLING, TOPIC
from portal.reconciliation.workspace import Workspace

CHUNK = 1_000  # Patients at a time; what is asked of the stores again stays small.
LOOKS = 3  # At the portal's side; in between, the stores may catch up with what it said.
PAUSE_SECONDS = 0.25
ROUNDS = 6  # Times the patience for one chunk, for all of them.
PASSING = [kind.code for kind in KINDS.values() if kind.may_pass]

# The whole is kept, and brought up to date with what is read again: the figures are counted from it in the end.
_SET_ASIDE = """
    DROP TABLE all_{name};
    ALTER TABLE read_{name} RENAME TO all_{name};
    CREATE TEMP TABLE read_{name} (LIKE all_{name});
"""
_DOUBTED = """
    CREATE TEMP TABLE doubted AS SELECT DISTINCT patient FROM difference WHERE patient IS NOT NULL AND kind = ANY(%s)
"""
_NEXT = """
    WITH few AS (DELETE FROM doubted WHERE patient IN (SELECT patient FROM doubted ORDER BY patient LIMIT %s)
                 RETURNING patient)
    INSERT INTO candidate SELECT patient FROM few RETURNING patient
"""
_MERGE = {
    TOPIC: """
        INSERT INTO all_message SELECT * FROM read_message;
        TRUNCATE read_message;
        INSERT INTO read_message SELECT * FROM all_message WHERE patient IN (SELECT patient FROM candidate)""",
    ANALYTICS: """
        DELETE FROM all_state WHERE patient IN (SELECT patient FROM candidate);
        INSERT INTO all_state SELECT * FROM read_state""",
    BILLING: """
        DELETE FROM all_account WHERE patient IN (SELECT patient FROM candidate);
        INSERT INTO all_account SELECT * FROM read_account""",
}
_OF_CANDIDATES = (
    "FROM difference WHERE kind = ANY(%s) AND patient IN (SELECT patient FROM candidate)"
)


def confirm(space: Workspace, neighbours: PeerStores, *, seconds: float) -> None:
    """Take back what was only late: for each thousand of patients, whatever arrives within these seconds.

    Where there are very many, the last are not looked at. `all_message`, `all_state` and `all_account` then hold the
    whole as it was seen last; the other tables are left to the last thousand.
    """
    for name in ("message", "state", "account"):
        space.rows(_SET_ASIDE.format(name=name))
    space.rows(_DOUBTED, [PASSING])
    deadline = time.monotonic() + ROUNDS * seconds
    while time.monotonic() < deadline:
        space.empty("candidate")
        patients = [row[0] for row in space.rows(_NEXT, [CHUNK])]
        if not patients:
            break
        _look_again(space, neighbours, patients, seconds=seconds)
    space.rows("DROP TABLE doubted")


def _look_again(
    space: Workspace, neighbours: PeerStores, patients: Sequence[UUID], *, seconds: float
) -> None:
    stores = _stores_in_doubt(space)
    for _ in range(LOOKS):
        snapshot.take_snapshot(space, seconds=0, candidates_only=True)
        deadline = time.monotonic() + seconds / LOOKS
        while True:
            space.empty("read_message")
            neighbours.read_candidates(space, patients, stores)
            stores = [store for store in stores if store not in neighbours.away]
            for store in stores:
                space.rows(_MERGE[store])
            _judge_anew(space, neighbours, stores)
            if not space.value(f"SELECT count(*) {_OF_CANDIDATES}", [_codes(stores)]):
                return
            if time.monotonic() >= deadline:
                break
            time.sleep(PAUSE_SECONDS)


def _judge_anew(space: Workspace, neighbours: PeerStores, stores: Sequence[str]) -> None:
    space.rows(f"DELETE {_OF_CANDIDATES}", [_codes(stores)])
    left_out = set(ALL_STORES) - set(stores)
    compare(
        space, is_topic_whole=neighbours.topic.tally.is_whole, away=left_out, looked_at_before=True
    )


def _stores_in_doubt(space: Workspace) -> list[str]:
    """Those with a difference; with the topic comes analytics, which is its witness where it is not whole."""
    codes = [row[0] for row in space.rows(f"SELECT DISTINCT kind {_OF_CANDIDATES}", [PASSING])]
    stores = {KINDS[code].store for code in codes}
    return sorted(stores | {ANALYTICS} if TOPIC in stores else stores)


def _codes(stores: Sequence[str]) -> list[str]:
    return [code for code in PASSING if KINDS[code].store in stores]
