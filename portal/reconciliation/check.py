"""A pass over all stores: read, compare, look again, and the result."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

from portal.jobs import StepListener
from portal.patients.number_series import MOST_LOST_EVENTS, last_lost_event
from portal.reconciliation import snapshot
from portal.reconciliation.comparison import compare
from portal.reconciliation.confirmation import confirm
from portal.reconciliation.difference_kinds import KINDS
from portal.reconciliation.figures import Figures
from portal.reconciliation.peer_stores import PeerStores
from portal.reconciliation.stores import PATIENCE_SECONDS
from portal.reconciliation.workspace import Workspace

SHOWN = 100  # Differences that a report lists.

_ADD_AUDIT = "INSERT INTO difference VALUES ('figure-differs', NULL, NULL, %s)"
_ADD_NUMBERS = "INSERT INTO difference VALUES ('numbers-behind', NULL, %s, %s)"
_LAST_EVENTS = """
    SELECT array_agg(event_id) FROM (
        SELECT max(event_id) AS event_id FROM read_message
        WHERE event_id <= (SELECT last_value FROM patients_patientevent_pgh_id_seq) + %s) AS last
    WHERE event_id IS NOT NULL
"""
_ADD_RETENTION = "INSERT INTO difference VALUES ('topic-forgets', NULL, NULL, %s)"
_BY_KIND = "SELECT kind, count(*) FROM difference GROUP BY kind"
# The rows are numbered within each kind, so that the list has rows of every kind.
_FIRST = """
    SELECT kind, patient, event_id, found FROM (
        SELECT *, row_number() OVER (PARTITION BY kind ORDER BY patient, event_id) AS place
        FROM difference ORDER BY place LIMIT %s) AS sample
    ORDER BY kind, place
"""


@dataclass
class Result:
    """What a pass found; it names patients by id alone."""

    stores: list[dict[str, Any]]
    by_kind: dict[str, int]
    first: list[dict[str, Any]]
    away: dict[str, str]
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def difference_count(self) -> int:
        return sum(self.by_kind.values())


def check(
    space: Workspace,
    *,
    patience: float = PATIENCE_SECONDS,
    on_step: StepListener = lambda _: None,
) -> Result:
    """Compares all stores patient by patient.

    The differences stay in the table `difference` of the workspace. `patience` is how many seconds
    a change on its way may take to arrive. `on_step` hears of each step as it begins.
    """
    stopwatch = _Stopwatch(on_step)
    with closing(PeerStores()) as peers:
        space.create_tables()
        with stopwatch("reading the portal", "portal"):
            snapshot.take_snapshot(space, seconds=patience)
        with stopwatch("reading topic, analytics and billing", "neighbours"):
            peers.read_all(space)
        with stopwatch("comparing", "comparing"):
            compare(space, is_topic_whole=peers.topic.tally.is_whole, away=peers.away)
            _add_audit(space, peers)
            _add_numbers(space)
            if peers.topic.tally.forgets_by:
                space.rows(_ADD_RETENTION, [peers.topic.tally.forgets_by])
            figures = Figures(space, peers)
        with stopwatch("looking again at what differs", "again"):
            confirm(space, peers, seconds=patience)
        by_kind = dict(space.rows(_BY_KIND))
        figures.complete(by_kind)
        first = [_difference_json(*row) for row in space.rows(_FIRST, [SHOWN])]
        return Result(figures.entries, by_kind, first, peers.away, stopwatch.seconds)


def _add_audit(space: Workspace, peers: PeerStores) -> None:
    for figure in peers.audit:
        found = (
            f"{figure['name']} {figure['bucket']}:"
            f" {figure['stored']} instead of {figure['expected']}"
        )
        space.rows(_ADD_AUDIT, [found])


def _add_numbers(space: Workspace) -> None:
    """Adds a difference where the topic has later events than the portal has numbers."""
    event_ids = space.value(_LAST_EVENTS, [MOST_LOST_EVENTS]) or []
    last, count = last_lost_event(event_ids)
    if count:
        space.rows(_ADD_NUMBERS, [last, f"{count} events are later than the log"])


def _difference_json(code: str, patient: Any, event_id: int | None, found: str) -> dict[str, Any]:
    kind = KINDS[code]
    return {
        "kind": code,
        "store": kind.store,
        "patient": str(patient) if patient else None,
        "event": event_id,
        "title": kind.title,
        "found": found,
        "toDo": kind.to_do,
    }


class _Stopwatch:
    """Reports each step as it begins, and keeps how long it took, by a short name."""

    def __init__(self, on_step: StepListener) -> None:
        self._on_step = on_step
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, step: str, name: str) -> Iterator[None]:
        self._on_step(step)
        began = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - began, 1)
