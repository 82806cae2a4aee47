"""A run: start, populate, load and faults, repair, catch up, read every store, check."""

import json
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.fault.checks import violations
from tests.fault.faults import BROKER_EMPTIED, Fault
from tests.fault.history import History, Operation
from tests.fault.load import Load
from tests.fault.measures import calm_spans
from tests.fault.nemesis import Injected, Nemesis
from tests.fault.poison import Poisoner
from tests.fault.probes import Figures, Sight, Surface
from tests.fault.recovery import caught_up
from tests.fault.schedule import long_outages, plan
from tests.fault.stores import Stores, read_stores
from tests.fault.system import System, running
from tests.waits import wait_for

READY_SECONDS = 120
CATCH_UP_SECONDS = 120
RECONCILE_SECONDS = 300


@dataclass
class Run:
    """The results of a run."""

    seed: int
    history: list[Operation] = field(default_factory=list)
    stores: Stores = field(default_factory=Stores)
    injected: list[Injected] = field(default_factory=list)
    sights: list[Sight] = field(default_factory=list)
    seen_at: dict[int, float] = field(default_factory=dict)
    began: float = 0.0
    ended: float = 0.0
    violations: dict[str, list[str]] = field(default_factory=dict)

    @property
    def calm(self) -> list[tuple[float, float]]:
        return calm_spans(self.injected, self.began, self.ended)


@dataclass(frozen=True)
class Pace:
    """The duration and the slots of the faults. `outage_seconds` means long outages instead."""

    seconds: float = 0.0
    slot_seconds: float = 0.0
    calm_seconds: float = 0.0
    outage_seconds: float = 0.0

    def plan(self, seed: int, *, can_fill_disk: bool) -> list[list[Fault]]:
        if self.outage_seconds:
            return long_outages(self.outage_seconds)
        return plan(
            seed, slots=max(1, int(self.seconds / self.slot_seconds)), can_fill_disk=can_fill_disk
        )


def faulty_run(folder: Path, *, seed: int, pace: Pace, say: Callable[[str], None]) -> Run:
    """Runs the system with faults drawn by `seed`; `folder` takes logs and history."""
    folder.mkdir(parents=True, exist_ok=True)
    say(f"seed {seed}: starting the system in {folder}")
    with running(folder) as system:
        if not system.disks.are_small:
            say("left out: full disks (a file system of its own needs root)")
        faults = pace.plan(seed, can_fill_disk=system.disks.are_small)
        nemesis = Nemesis(
            system, faults, slot_seconds=pace.slot_seconds, calm_seconds=pace.calm_seconds
        )
        run = loaded(system, folder, seed=seed, nemesis=nemesis, say=say)
        run.violations["every fault was injected and mended"] = [
            slot.error for slot in run.injected if slot.error
        ]
        write(folder / "faults.json", [slot.as_json() for slot in run.injected])
    return run


def loaded(
    system: System, folder: Path, *, seed: int, nemesis: Nemesis, say: Callable[[str], None]
) -> Run:
    """Runs the load while faults are injected, then waits, reads all stores and checks them."""
    wait_until_ready(system)
    history = History(folder / "history.jsonl")
    load = Load(system, history, seed=seed, folder=folder)
    load.populate()
    figures, surface, poisoner = Figures(system), Surface(system), Poisoner(system, seed=seed)
    say(f"{len(load.patients)} patients, load begins")
    run = Run(
        seed, history.operations, began=time.time(), sights=surface.sights, seen_at=figures.seen_at
    )
    run.injected = nemesis.injected
    parts = (figures, surface, poisoner, load)
    try:
        for part in parts:
            part.start()
        nemesis.run(say)
    finally:
        run.ended = time.time()
        for part in reversed(parts):
            part.stop()
        history.close()
    is_caught_up = caught_up(system, seconds=CATCH_UP_SECONDS)
    run.stores = read_stores(system)
    run.stores.was_emptied = any(
        fault.kind == BROKER_EMPTIED for slot in run.injected for fault in slot.faults
    )
    run.violations = violations(run.history, run.stores)
    run.violations["everything catches up by itself"] = (
        [] if is_caught_up else [f"not within {CATCH_UP_SECONDS} s"]
    )
    run.violations["manage.py reconcile agrees"] = reconcile(system, folder)
    outcomes = dict(Counter(str(operation.outcome) for operation in run.history))
    say(f"load ended: {outcomes}, {load.left_out} left out")
    return run


def wait_until_ready(system: System) -> None:
    """Waits for the portal, and for both workers of analytics with partitions of their own."""
    places = [system.site(name) for name in ("internal", "analytics-1", "analytics-2")]
    wait_for(lambda: all(_is_ready(place) for place in places), seconds=READY_SECONDS)


def reconcile(system: System, folder: Path) -> list[str]:
    """Returns what `manage.py reconcile` finds in the same stores."""
    try:
        done = system.command("reconcile", "--json", seconds=RECONCILE_SECONDS)
    except subprocess.TimeoutExpired:
        return [f"it did not end within {RECONCILE_SECONDS} s"]
    (folder / "reconcile.json").write_text(done.stdout)
    return (
        []
        if done.returncode == 0
        else [f"exit code {done.returncode}: {(done.stdout + done.stderr)[-500:]}"]
    )


def write(file: Path, what: Any) -> None:
    file.write_text(json.dumps(what, indent=1, default=str) + "\n")


def _is_ready(place: str) -> bool:
    try:
        return (
            httpx.get(f"{place}/health/ready", timeout=5, trust_env=False).status_code
            == httpx.codes.OK
        )
    except httpx.HTTPError:
        return False
