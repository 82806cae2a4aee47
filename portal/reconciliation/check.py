"""One pass over all stores: read, compare, look again, and the result."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

from portal.reconciliation import snapshot
from portal.reconciliation.comparison import compare
from portal.reconciliation.confirmation import confirm
from portal.reconciliation.difference_kinds import KINDS
from portal.reconciliation.figures import Figures
from portal.reconciliation.peer_stores import PeerStores
from portal.reconciliation.workspace import Workspace

PATIENCE_SECONDS = 10.0
SHOWN = 100
Tell = Callable[[str], None]

_AUDITED = "INSERT INTO difference VALUES ('figure-differs', NULL, NULL, %s)"
_BY_KIND = "SELECT kind, count(*) FROM difference GROUP BY kind"
# Some of every kind.
_FIRST = """
    SELECT kind, patient, event_id, found FROM (
        SELECT *, row_number() OVER (PARTITION BY kind ORDER BY patient, event_id) AS place FROM difference
        ORDER BY place LIMIT %s) AS sample
    ORDER BY kind, place
"""


@dataclass
class Result:
    """What a pass found; patients are named by id alone."""

    stores: list[dict[str, Any]]
    by_kind: dict[str, int]
    first: list[dict[str, Any]]
    away: dict[str, str]
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def difference_count(self) -> int:
        return sum(self.by_kind.values())

    @property
    def is_proof(self) -> bool:
        """Every store was read, and none differs."""
        return not self.away and not self.by_kind


def check(
    space: Workspace, *, patience: float = PATIENCE_SECONDS, tell: Tell = lambda _: None
) -> Result:
    """Compare all stores patient by patient. What is found stays in the table `difference` of the workspace.

    `patience` is how many seconds what is on its way may take to arrive.
    """
    watch = _Watch(tell)
    with closing(PeerStores()) as neighbours:
        space.create_tables()
        with watch("reading the portal", "portal"):
            snapshot.take_snapshot(space, seconds=patience)
        with watch("reading topic, analytics and billing", "neighbours"):
            neighbours.read_all(space)
        with watch("comparing", "comparing"):
            compare(space, is_topic_whole=neighbours.topic.tally.is_whole, away=neighbours.away)
            _add_audit(space, neighbours)
            figures = Figures(space, neighbours)
        with watch("looking again at what differs", "again"):
            confirm(space, neighbours, seconds=patience)
        by_kind = dict(space.rows(_BY_KIND))
        figures.complete(by_kind)
        return Result(figures.entries, by_kind, _first(space), neighbours.away, watch.seconds)


def _add_audit(space: Workspace, neighbours: PeerStores) -> None:
    for one in neighbours.audit:
        found = f"{one['name']} {one['bucket']}: {one['stored']} instead of {one['expected']}"
        space.rows(_AUDITED, [found])


def _first(space: Workspace) -> list[dict[str, Any]]:
    return [_told(*row) for row in space.rows(_FIRST, [SHOWN])]


def _told(code: str, patient: Any, event_id: int | None, found: str) -> dict[str, Any]:
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


class _Watch:
    """Tells each step as it begins, and keeps how long it took."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, words: str, name: str) -> Iterator[None]:
        self._tell(words)
        began = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - began, 1)
