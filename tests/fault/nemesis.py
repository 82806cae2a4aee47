"""Injects the faults of a plan, slot by slot, and measures how the system recovers from each."""

import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

from tests.fault.faults import Fault, injected
from tests.fault.recovery import recovered
from tests.fault.system import System

RECOVERY_SECONDS = 60.0
QUIET_SECONDS = 5.0  # before the first slot and after the last


@dataclass
class Injected:
    """A slot: when its first fault began, when its last was mended, and how long each part took."""

    faults: list[Fault]
    began: float = 0.0
    mended: float = 0.0
    recovered: dict[str, float | None] = field(default_factory=dict)
    error: str = ""

    @property
    def over(self) -> float:
        """The time when everything had recovered."""
        return self.mended + max(
            (seconds or RECOVERY_SECONDS for seconds in self.recovered.values()), default=0.0
        )

    @property
    def names(self) -> str:
        return " + ".join(map(str, self.faults))

    def __str__(self) -> str:
        took = ", ".join(
            f"{part} {'never' if seconds is None else f'{seconds:.1f} s'}"
            for part, seconds in self.recovered.items()
        )
        lasted = self.mended - self.began
        return f"{self.names}: mended after {lasted:.1f} s, then back: {took} {self.error}"

    def as_json(self) -> dict:
        return {**asdict(self), "over": self.over}


class Nemesis:
    """Runs the plan. A slot begins `calm_seconds` after the end of the slot before.

    It begins `slot_seconds` after the begin of the slot before at the earliest.
    """

    def __init__(
        self, system: System, plan: list[list[Fault]], *, slot_seconds: float, calm_seconds: float
    ) -> None:
        self._system, self._plan = system, plan
        self._slot_seconds, self._calm_seconds = slot_seconds, calm_seconds
        self.injected: list[Injected] = []

    def run(self, say: Callable[[str], None]) -> None:
        """Blocks until the plan is done and the last slot is over."""
        time.sleep(QUIET_SECONDS)
        due = time.monotonic()
        for number, faults in enumerate(self._plan, 1):
            time.sleep(max(self._calm_seconds, due - time.monotonic()))
            due = time.monotonic() + self._slot_seconds
            slot = self._inject(faults)
            say(f"{number}/{len(self._plan)} {slot}")
        time.sleep(QUIET_SECONDS)

    def _inject(self, faults: list[Fault]) -> Injected:
        slot = Injected(faults, began=time.time())
        self.injected.append(slot)
        threads = [
            threading.Thread(target=self._hold, args=(fault, slot), name=str(fault))
            for fault in faults
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        slot.mended = time.time()
        slot.recovered = recovered(self._system, seconds=RECOVERY_SECONDS)
        return slot

    def _hold(self, fault: Fault, slot: Injected) -> None:
        try:
            with injected(fault, self._system):
                time.sleep(fault.seconds)
        except Exception:
            slot.error += traceback.format_exc()
