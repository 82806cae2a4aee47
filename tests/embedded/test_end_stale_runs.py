"""Ending what a killed run left behind."""

import signal
import subprocess
import sys

import psutil
import pytest

from embedded.programs import is_listening
from embedded.stale_runs import end_processes
from tests.waits import wait_for

# Its first thread has died, as happens in a killed process that has much to let go of. Another one holds a port.
HALF_DEAD = """
import ctypes, signal, socket, threading
signal.signal(signal.SIGTERM, signal.SIG_IGN)
server = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=threading.Event().wait).start()
print(server.getsockname()[1], flush=True)
ctypes.CDLL(None).pthread_exit(None)
"""


@pytest.fixture
def half_dead():
    with subprocess.Popen(
        [sys.executable, "-c", HALF_DEAD], stdout=subprocess.PIPE, text=True
    ) as process:
        looked_at, port = psutil.Process(process.pid), int(process.stdout.readline())
        wait_for(lambda: looked_at.status() == psutil.STATUS_ZOMBIE)
        yield looked_at, port
        process.kill()


def test_a_process_whose_first_thread_is_dead_lives_until_it_has_let_go_of_its_ports(half_dead):
    process, port = half_dead
    end_processes([process], by=signal.SIGTERM, patience_seconds=0.2)
    assert not is_listening(port)
