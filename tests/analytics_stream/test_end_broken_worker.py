"""A worker that cannot go on ends with an exit code that is not 0, so that it is started again."""

import subprocess
import sys

import pytest

from analytics_stream.shutdown import EXIT_RESTART
from embedded.kafka import kafka
from tests.analytics_stream.broken_worker import FAULTS
from tests.analytics_stream.database import read_figures
from tests.analytics_stream.histories import make_history, send_events
from tests.analytics_stream.worker_process import committed_offsets, environment

CRASHED = 1  # The exit code of Faust after a crash.


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_worker_ends_and_leaves_its_messages_to_the_next_one(database, tmp_path, fault):
    """Red when Faust acknowledges what failed, or without the watchdog."""
    with kafka(tmp_path / "kafka") as server:
        send_events(server.address, make_history(20))
        command = [sys.executable, "-m", "tests.analytics_stream.broken_worker", fault]
        environ = environment(database, server.address)
        ended = subprocess.run(
            command, env=environ, stderr=subprocess.PIPE, text=True, timeout=180, check=False
        )
        assert ended.returncode == (CRASHED if fault == "watchdog raises" else EXIT_RESTART)
        assert read_figures(database) == {}
        no_offset = -1001
        assert committed_offsets(server.address) == [no_offset] * 4
    assert "Jane" not in ended.stderr
