"""A worker that cannot go on ends, with a code that is not 0, so that it is started again and reads the same again."""

import subprocess
import sys

import pytest

from analytics_stream.shutdown import EXIT_RESTART
from embedded.kafka import kafka
from tests.analytics_stream.broken_worker import FAULTS
from tests.analytics_stream.database import read_figures
from tests.analytics_stream.histories import make_history, send_events
from tests.analytics_stream.worker_process import committed_offsets, environment

CRASHED = 1  # Faust's own code: a crash ended it, not our watchdog.


@pytest.mark.parametrize("broken", FAULTS)
def test_a_broken_worker_ends_and_leaves_its_messages_to_the_next_one(database, tmp_path, broken):
    """Red when Faust is left to acknowledge what failed, or when nobody watches a worker that hangs."""
    with kafka(tmp_path / "kafka") as server:
        send_events(server.address, make_history(20))
        command = [sys.executable, "-m", "tests.analytics_stream.broken_worker", broken]
        environ = environment(database, server.address)
        ended = subprocess.run(
            command, env=environ, stderr=subprocess.PIPE, text=True, timeout=180, check=False
        )
        assert ended.returncode == (CRASHED if broken == "watchdog raises" else EXIT_RESTART)
        assert read_figures(database) == {}
        assert (
            committed_offsets(server.address) == [-1001] * 4
        )  # Nowhere: the group has committed nothing.
    assert "Jane" not in ended.stderr
