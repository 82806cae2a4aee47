"""The faults, each as a block: it begins with the block, and is mended when the block ends."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import Any

import psutil
import psycopg2

from tests.fault import broker
from tests.fault.proxy import Mode
from tests.fault.servers import Restartable
from tests.fault.stores import rows
from tests.fault.system import System
from tests.fault.topology import PROCESSES, TO_ANALYTICS, TO_BILLING
from tests.waits import wait_for

SERVERS = ("PostgreSQL", "Kafka", "Valkey")
LEADER, WEB_WORKER = "the leading relay", "the portal's worker"
TARGETS = (*PROCESSES, LEADER, WEB_WORKER, *SERVERS)
KILL, FREEZE = "kill -9", "SIGSTOP"
DATABASE_STOP = "PostgreSQL stopped at once"
DISK_FULL, BROKER_FULL, FILES_FULL = "disk full", "broker's disk full", "uploads, memory full"
FULL = (DISK_FULL, BROKER_FULL, FILES_FULL)
BROKER_AWAY, BROKER_EMPTIED = "broker away", "broker emptied"
BILLING_AWAY, ANALYTICS_AWAY, QUEUE_AWAY = "billing away", "analytics away", "queue away"
NETWORK = {mode.value: mode for mode in Mode if mode is not Mode.PASS}
RETURN_SECONDS = 30  # for a killed process to be there again


@dataclass(frozen=True)
class Fault:
    """A fault that lasts for a number of seconds."""

    kind: str
    target: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.kind}: {self.target}" if self.target != self.kind else self.kind


def injected(fault: Fault, system: System) -> AbstractContextManager[None]:
    """Returns the block that injects the fault."""
    if fault.kind in NETWORK:
        return system.network.bad([fault.target], NETWORK[fault.kind])
    return _KINDS[fault.kind](system, fault.target)


@contextmanager
def _killed(system: System, target: str) -> Iterator[None]:
    if target in SERVERS:
        with _server(system, target).down(signal.SIGKILL):
            yield
        return
    pid = pid_of(system, target)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    yield
    _wait_for_successor(system, target, pid)


@contextmanager
def _frozen(system: System, target: str) -> Iterator[None]:
    stopped = []
    try:
        with suppress(psutil.NoSuchProcess):
            parent = psutil.Process(pid_of(system, target))
            for process in (parent, *parent.children(recursive=True)):
                with suppress(psutil.NoSuchProcess):
                    process.suspend()
                    stopped.append(process)
        yield
    finally:
        for process in stopped:
            with suppress(psutil.NoSuchProcess):
                process.resume()


def _stopped(system: System, _: str) -> AbstractContextManager[None]:
    return system.servers.database.down(signal.SIGQUIT)


def _broker_away(system: System, _: str) -> AbstractContextManager[None]:
    return system.servers.kafka.down(signal.SIGKILL)


@contextmanager
def _broker_emptied(system: System, _: str) -> Iterator[None]:
    """Loses the disk of the broker. An operator makes the topics, and the relay sends the log."""
    system.servers.kafka.kill(signal.SIGKILL)
    broker.empty(system.disks.kafka.folder / "kafka")
    yield
    system.servers.kafka.start()
    system.run_until_done("create_topics")


def _billing_away(system: System, _: str) -> AbstractContextManager[None]:
    return system.network.bad([TO_BILLING], Mode.REFUSE)


def _analytics_away(system: System, _: str) -> AbstractContextManager[None]:
    return system.network.bad([TO_ANALYTICS], Mode.REFUSE)


def _queue_away(system: System, _: str) -> AbstractContextManager[None]:
    return system.servers.queue.down(signal.SIGKILL)


@contextmanager
def _disk_full(system: System, _: str) -> Iterator[None]:
    with system.disks.database.full():
        yield
    system.servers.database.start()  # PostgreSQL ends itself when it cannot write its log.


@contextmanager
def _broker_full(system: System, _: str) -> Iterator[None]:
    with system.disks.kafka.full():
        yield
    system.servers.kafka.start()  # Kafka ends itself when it cannot write.


def _files_full(system: System, _: str) -> AbstractContextManager[None]:
    return system.disks.files.full()


_KINDS: dict[str, Callable[[System, str], AbstractContextManager[None]]] = {
    KILL: _killed,
    FREEZE: _frozen,
    DATABASE_STOP: _stopped,
    DISK_FULL: _disk_full,
    BROKER_FULL: _broker_full,
    FILES_FULL: _files_full,
    BROKER_AWAY: _broker_away,
    BROKER_EMPTIED: _broker_emptied,
    BILLING_AWAY: _billing_away,
    ANALYTICS_AWAY: _analytics_away,
    QUEUE_AWAY: _queue_away,
    "none": lambda *_: nullcontext(),
}


def pid_of(system: System, target: str) -> int:
    """Returns the process id of a Procfile line, a server, the leader or the web worker."""
    if target in SERVERS:
        return _server(system, target).pid()
    if target == LEADER:
        return _leader(system) or _pid_of_line(system, "relay-1")
    if target == WEB_WORKER:
        children = psutil.Process(_pid_of_line(system, "portal")).children()
        return children[0].pid if children else _pid_of_line(system, "portal")
    return _pid_of_line(system, target)


def _pid_of_line(system: System, name: str) -> int:
    """Returns the process id of a Procfile line, as soon as it runs."""
    return wait_for(lambda: system.processes.pids().get(name), seconds=RETURN_SECONDS) or 0


def _leader(system: System) -> int | None:
    with suppress(psycopg2.Error):
        for (holder,) in rows(
            system, "portal", "SELECT holder FROM events_relaylease WHERE expires_at > now()"
        ):
            return int(holder.split(":")[1])
    return None


def _server(system: System, target: str) -> Restartable[Any]:
    servers = system.servers
    return dict(zip(SERVERS, (servers.database, servers.kafka, servers.queue), strict=True))[target]


def _wait_for_successor(system: System, target: str, pid: int) -> None:
    """Waits until the supervisor, or the web server, has started a successor."""
    deadline = time.monotonic() + RETURN_SECONDS
    while time.monotonic() < deadline and psutil.pid_exists(pid):
        time.sleep(0.05)
    name = "portal" if target == WEB_WORKER else target
    while time.monotonic() < deadline and name in PROCESSES and name not in system.processes.pids():
        time.sleep(0.05)
