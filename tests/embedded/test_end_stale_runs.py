"""The processes that a killed run left behind are ended."""

import signal
import subprocess
import sys

import psutil
import pytest

from embedded.programs import is_listening
from embedded.stale_runs import end_processes
from tests.waits import wait_for

# The first thread of this program is dead, as in a process that was killed a moment ago, while
# another thread still holds a port.
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
        zombie, port = psutil.Process(process.pid), int(process.stdout.readline())
        wait_for(lambda: zombie.status() == psutil.STATUS_ZOMBIE)
        yield zombie, port
        process.kill()


def test_a_process_with_a_dead_first_thread_is_alive_while_it_has_ports(half_dead):
    process, port = half_dead
    end_processes([process], by=signal.SIGTERM, patience_seconds=0.2)
    assert not is_listening(port)
