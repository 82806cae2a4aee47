"""A worker that cannot go on ends, with a code that is not 0, so that it is started again and reads the same again."""

import subprocess
import sys

import pytest

from analytics_stream.shutdown import LOST
from embedded.kafka import kafka
from tests.analytics_stream.broken_worker import BREAKS
from tests.analytics_stream.database import figures_in
from tests.analytics_stream.histories import send_all, story
from tests.analytics_stream.worker_process import environment, read_up_to

CRASHED = 1  # Faust's own code: a crash ended it, not our watchdog.


@pytest.mark.parametrize("broken", BREAKS)
def test_a_broken_worker_ends_and_leaves_its_messages_to_the_next_one(database, tmp_path, broken):
    """Red when Faust is left to acknowledge what failed, or when nobody watches a worker that hangs."""
    with kafka(tmp_path / "kafka") as server:
        send_all(server.address, story(20))
        command = [sys.executable, "-m", "tests.analytics_stream.broken_worker", broken]
        environ = environment(database, server.address)
        ended = subprocess.run(
            command, env=environ, stderr=subprocess.PIPE, text=True, timeout=180, check=False
        )
        assert ended.returncode == (CRASHED if broken == "lookout raises" else LOST)
        assert figures_in(database) == {}
        assert (
            read_up_to(server.address) == [-1001] * 4
        )  # Nowhere: the group has committed nothing.
    assert "Jane" not in ended.stderr
