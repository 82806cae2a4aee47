"""Confirmation: differences that time may explain are looked at again before they count."""

import time
from collections.abc import Sequence
from uuid import UUID

from portal.reconciliation import snapshot
from portal.reconciliation.comparison import compare
from portal.reconciliation.difference_kinds import KINDS
from portal.reconciliation.peer_stores import PeerStores
from portal.reconciliation.stores import ALL_STORES, ANALYTICS, BILLING, TOPIC
from portal.reconciliation.workspace import Workspace

CHUNK = 1_000  # Patients that are looked at together; what is asked of the stores stays small.
LOOKS = 3  # Times that the portal is read anew; in between, the stores may catch up with it.
PAUSE_SECONDS = 0.25  # Between two readings of the stores.
ROUNDS = 6  # The time for all chunks together, as a multiple of the patience for one.
PASSING_KINDS = [kind.code for kind in KINDS.values() if kind.may_pass]

# The tables all_* keep the whole, and are brought up to date with what is read again: the figures
# are counted from them in the end.
_SET_ASIDE = """
    DROP TABLE all_{name};
    ALTER TABLE read_{name} RENAME TO all_{name};
    CREATE TEMP TABLE read_{name} (LIKE all_{name});
"""
_DOUBTED = """
    CREATE TEMP TABLE doubted AS
    SELECT DISTINCT patient FROM difference WHERE patient IS NOT NULL AND kind = ANY(%s)
"""
_NEXT = """
    WITH few AS (
        DELETE FROM doubted
        WHERE patient IN (SELECT patient FROM doubted ORDER BY patient LIMIT %s)
        RETURNING patient)
    INSERT INTO candidate SELECT patient FROM few RETURNING patient
"""
_MERGE = {
    TOPIC: """
        INSERT INTO all_message SELECT * FROM read_message;
        TRUNCATE read_message;
        INSERT INTO read_message
        SELECT * FROM all_message WHERE patient IN (SELECT patient FROM candidate)""",
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


def confirm(space: Workspace, peers: PeerStores, *, seconds: float) -> None:
    """Removes the differences that were only late.

    Each thousand of patients gets so many seconds for what is on its way; where there are very
    many, the last are not looked at. `all_message`, `all_state` and `all_account` then hold the
    whole as it was seen last; the other tables are left to the last thousand.
    """
    for name in ("message", "state", "account"):
        space.rows(_SET_ASIDE.format(name=name))
    space.rows(_DOUBTED, [PASSING_KINDS])
    deadline = time.monotonic() + ROUNDS * seconds
    while time.monotonic() < deadline:
        space.empty("candidate")
        patients = [row[0] for row in space.rows(_NEXT, [CHUNK])]
        if not patients:
            break
        _look_again(space, peers, patients, seconds=seconds)
    space.rows("DROP TABLE doubted")


def _look_again(
    space: Workspace, peers: PeerStores, patients: Sequence[UUID], *, seconds: float
) -> None:
    stores = _stores_in_doubt(space)
    for _ in range(LOOKS):
        snapshot.take_snapshot(space, seconds=0, candidates_only=True)
        deadline = time.monotonic() + seconds / LOOKS
        while True:
            space.empty("read_message")
            peers.read_candidates(space, patients, stores)
            stores = [store for store in stores if store not in peers.away]
            for store in stores:
                space.rows(_MERGE[store])
            _compare_again(space, peers, stores)
            if not space.value(f"SELECT count(*) {_OF_CANDIDATES}", [_passing_kinds_in(stores)]):
                return
            if time.monotonic() >= deadline:
                break
            time.sleep(PAUSE_SECONDS)


def _compare_again(space: Workspace, peers: PeerStores, stores: Sequence[str]) -> None:
    space.rows(f"DELETE {_OF_CANDIDATES}", [_passing_kinds_in(stores)])
    compare(
        space,
        is_topic_whole=peers.topic.tally.is_whole,
        away=set(ALL_STORES) - set(stores),
        looked_at_before=True,
    )


def _stores_in_doubt(space: Workspace) -> list[str]:
    """Returns the stores with a difference that may pass.

    The topic brings analytics along, which proves what a topic that is not whole has delivered.
    """
    rows = space.rows(f"SELECT DISTINCT kind {_OF_CANDIDATES}", [PASSING_KINDS])
    stores = {KINDS[code].store for (code,) in rows}
    return sorted(stores | {ANALYTICS} if TOPIC in stores else stores)


def _passing_kinds_in(stores: Sequence[str]) -> list[str]:
    return [code for code in PASSING_KINDS if KINDS[code].store in stores]
