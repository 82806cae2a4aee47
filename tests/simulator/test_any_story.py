"""P1 to P4 hold in any story. `SIMULATOR_RUNS=5000 pytest tests/simulator` tells other and more stories than CI."""

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.simulator.machine import Clinic

STEPS = 50


def how_many() -> settings:
    """200 runs that are the same everywhere; as many new ones as SIMULATOR_RUNS says."""
    runs = os.environ.get("SIMULATOR_RUNS", "")
    return settings(
        max_examples=int(runs or 200),
        stateful_step_count=STEPS,
        derandomize=not runs,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )


@pytest.mark.timeout(3600)
def test_nothing_is_lost_and_nothing_is_done_twice(world):
    run_state_machine_as_test(type("AnyClinic", (Clinic,), {"world": world}), settings=how_many())
