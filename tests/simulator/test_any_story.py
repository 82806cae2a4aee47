"""P1 to P4 hold in any story.

`SIMULATOR_RUNS=5000 pytest tests/simulator` draws other and more stories than CI.
"""

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.simulator.machine import Clinic

RUNS, STEPS = 200, 50


def run_settings() -> settings:
    """Returns settings for fixed runs, or for SIMULATOR_RUNS new ones.

    Hypothesis ends a third of the runs early, so there are half as many more.
    """
    runs = os.environ.get("SIMULATOR_RUNS", "")
    return settings(
        max_examples=int(runs or RUNS * 1.5),
        stateful_step_count=STEPS,
        derandomize=not runs,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )


@pytest.mark.timeout(3600)
def test_nothing_is_lost_and_nothing_is_done_twice(world):
    lengths = []

    class AnyClinic(Clinic):
        def __init__(self) -> None:
            self.world = world
            super().__init__()

        def teardown(self) -> None:
            super().teardown()
            lengths.append(self.steps)

    run_state_machine_as_test(AnyClinic, settings=run_settings())
    if "SIMULATOR_RUNS" not in os.environ:
        assert sum(length >= STEPS for length in lengths) >= RUNS
