"""The plan of faults, drawn by a seed, so that a run can be repeated."""

import random
from collections.abc import Iterator
from itertools import cycle

from tests.fault.faults import (
    ANALYTICS_AWAY,
    BILLING_AWAY,
    BROKER_AWAY,
    BROKER_EMPTIED,
    BROKER_FULL,
    DATABASE_STOP,
    DISK_FULL,
    FILES_FULL,
    FREEZE,
    FULL,
    KILL,
    NETWORK,
    QUEUE_AWAY,
    TARGETS,
    Fault,
)
from tests.fault.topology import LINKS, TO_ANALYTICS, TO_BILLING

OUTAGES = (BROKER_AWAY, BILLING_AWAY, ANALYTICS_AWAY, QUEUE_AWAY)
KINDS = (KILL, FREEZE, DATABASE_STOP, *FULL, BROKER_EMPTIED, *OUTAGES, *NETWORK)
WITH_TARGETS = (KILL, FREEZE)
WEIGHTS = dict.fromkeys(KINDS, 1.0) | dict.fromkeys(NETWORK, 2.0) | dict.fromkeys(WITH_TARGETS, 3.0)
WEIGHTS |= dict.fromkeys(FULL, 0.4)
WEIGHTS[BROKER_EMPTIED] = 0.3  # since it takes the longest
STEP = 5  # targets, by which each seed begins further on; it divides no number of targets
# Long enough to be seen from outside (10 s), and to outlast a lease of the relay or a session of
# Kafka (6 s).
SECONDS = {KILL: 1.0, FREEZE: 9.0, DATABASE_STOP: 2.0, BROKER_EMPTIED: 2.0}
SECONDS |= dict.fromkeys(FULL, 5.0) | dict.fromkeys((*OUTAGES, FILES_FULL), 12.0)
NETWORK_SECONDS = 5.0
BRIEF_SECONDS = 4.0  # for parts that stop everything while they are frozen
BRIEF = ("PostgreSQL", "portal", "the portal's worker", "Kafka")
# The target of each kind that has a single one.
SAME = {
    DATABASE_STOP: "PostgreSQL",
    DISK_FULL: "PostgreSQL",
    BROKER_FULL: "Kafka",
    BROKER_AWAY: "Kafka",
    QUEUE_AWAY: "Valkey",
    BILLING_AWAY: TO_BILLING,
    ANALYTICS_AWAY: TO_ANALYTICS,
}
ALONE = {BROKER_EMPTIED}


def plan(seed: int, *, slots: int, can_fill_disk: bool = True) -> list[list[Fault]]:
    """Returns a fault or a pair for each slot; every kind once, and all targets over the seeds."""
    dice = random.Random(seed)
    kinds = [kind for kind in KINDS if can_fill_disk or kind not in FULL]
    count = max(len(kinds), slots * 4 // 3)
    drawn = kinds + dice.choices(kinds, [WEIGHTS[kind] for kind in kinds], k=count - len(kinds))
    dice.shuffle(drawn)
    targets = {kind: _targets(kind, seed) for kind in kinds}
    faults = [_fault(kind, next(targets[kind])) for kind in drawn]
    found = [[fault] for fault in faults[:slots]]
    for fault in faults[slots:]:
        free = [slot for slot in found if _may_join(fault, slot)]
        (dice.choice(free) if free else _new(found)).append(fault)
    return _emptied_early(found, dice)


def _emptied_early(found: list[list[Fault]], dice: random.Random) -> list[list[Fault]]:
    """Moves the emptied broker to the first half: it loses the dead letters, which are counted."""
    emptied = [slot for slot in found if slot[0].kind == BROKER_EMPTIED]
    others = [slot for slot in found if slot[0].kind != BROKER_EMPTIED]
    for slot in emptied:
        others.insert(dice.randrange(len(others) // 2), slot)
    return others


def long_outages(seconds: float) -> list[list[Fault]]:
    """Returns a plan with the broker away, then billing away."""
    return [[Fault(kind, kind, seconds)] for kind in (BROKER_AWAY, BILLING_AWAY)]


def _new(found: list[list[Fault]]) -> list[Fault]:
    found.append([])
    return found[-1]


def _fault(kind: str, target: str) -> Fault:
    seconds = SECONDS.get(kind, NETWORK_SECONDS)
    return Fault(
        kind, target, min(seconds, BRIEF_SECONDS) if kind == FREEZE and target in BRIEF else seconds
    )


def _targets(kind: str, seed: int) -> Iterator[str]:
    """Cycles through the targets of a kind, from another start for each seed."""
    names = list(LINKS if kind in NETWORK else TARGETS if kind in WITH_TARGETS else [kind])
    random.Random(kind).shuffle(names)
    start = seed * STEP % len(names)
    return cycle(names[start:] + names[:start])


def _may_join(fault: Fault, slot: list[Fault]) -> bool:
    """Tells whether the fault may join the slot: not on the same target, and at most a pair."""
    if len(slot) > 1 or ALONE & {fault.kind, slot[0].kind}:
        return False
    return _target(fault) != _target(slot[0])


def _target(fault: Fault) -> str:
    return SAME.get(fault.kind, fault.target)
