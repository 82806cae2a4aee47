"""Drawn stories find planted bugs too. Without a bug they pass, as tests/simulator shows."""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.planted_bugs.bugs import BUGS
from tests.simulator.checks import Violation
from tests.simulator.machine import Clinic

NAMES = (
    "mark before send",
    "cursor polling",
    "random message key",
    "swallowed exception",
    "order by time",
    "no unique key",
    "no inbox",
    "dead letter dropped",
)
# Finding is enough: the shrunk story of a planted bug is of no use.
UNTIL_FOUND = settings(
    max_examples=50,
    stateful_step_count=50,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
    print_blob=False,
)


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("bug", [bug for bug in BUGS if bug.sentence in NAMES], ids=str)
def test_a_drawn_story_meets_the_bug(world, bug):
    machine = type("BuggyClinic", (Clinic,), {"world": world})
    with bug.planted(world), pytest.raises(Violation):
        run_state_machine_as_test(machine, settings=UNTIL_FOUND)
