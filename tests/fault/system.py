"""The running system: real servers, the processes of the Procfile, a proxy on each link."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg2

from embedded.backoff import Backoff
from embedded.environment import ROOT, RUN_VARIABLE
from embedded.initdb import create_cluster
from embedded.kafka import Kafka
from embedded.postgres import Postgres, postgres
from embedded.processes import Processes
from embedded.secrets import ensure_secrets
from embedded.stack import add_demo, prepare
from embedded.valkey import Valkey, valkey
from tests.fault.broker import broker
from tests.fault.disk import Disk, small_disk
from tests.fault.proxy import Network
from tests.fault.servers import Restartable
from tests.fault.topology import DIRECT, LINKS, PORTS, TO_CLIENT, VARIABLES, Topology
from tests.ports import reserve_ports

COMMAND_ATTEMPTS = 6
MEGABYTES = (512, 256, 64)  # of the disks of PostgreSQL, of Kafka, and for files
SETTINGS = "max_wal_size = 96MB\nmin_wal_size = 32MB\nautovacuum_naptime = 20s\n"
PAUSES = partial(Backoff, longest_seconds=1.0)  # Faults kill a process every few seconds.


@dataclass(frozen=True)
class Servers:
    """The servers that the processes need."""

    database: Restartable[Postgres]
    kafka: Restartable[Kafka]
    queue: Restartable[Valkey]

    @contextmanager
    def running(self) -> Iterator["Servers"]:
        servers = (self.database, self.kafka, self.queue)
        try:
            with ThreadPoolExecutor() as pool:
                list(pool.map(lambda server: server.start(), servers))
            yield self
        finally:
            for server in servers:
                server.end()


@dataclass(frozen=True)
class Disks:
    """The disks: of PostgreSQL, of Kafka, and for files: uploads and the portal's /dev/shm."""

    database: Disk
    kafka: Disk
    files: Disk

    @property
    def are_small(self) -> bool:
        return all(disk.is_small for disk in (self.database, self.kafka, self.files))


@dataclass(frozen=True)
class System:
    """A running system, and the handles to break it and to look at it."""

    data: Path
    disks: Disks
    topology: Topology
    network: Network
    servers: Servers
    urls: dict[str, str]  # of the databases, past every proxy
    environment: dict[str, str]
    processes: Processes

    @property
    def address(self) -> str:
        """The address of the portal for its clients."""
        return f"http://127.0.0.1:{self.topology.links[TO_CLIENT]}"

    @property
    def brokers(self) -> str:
        return f"127.0.0.1:{self.topology.ports[DIRECT]}"

    def site(self, name: str) -> str:
        """Returns the web address of this port, past every proxy."""
        return f"http://127.0.0.1:{self.topology.ports[name]}"

    def connect(self, database: str) -> psycopg2.extensions.connection:
        """Connects as the owner, past every proxy.

        Raises psycopg2.OperationalError while PostgreSQL is away.
        """
        return psycopg2.connect(
            self.urls[database], connect_timeout=3, application_name="fault run"
        )

    def command(self, *arguments: str, seconds: float = 120) -> subprocess.CompletedProcess[str]:
        """Runs `manage.py …` over the portal's links."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )

    def run_until_done(self, *arguments: str) -> None:
        """Repeats a command until it succeeds. Raises RuntimeError after the last attempt."""
        for _ in range(COMMAND_ATTEMPTS):
            done = self.command(*arguments)
            if done.returncode == 0:
                return
            time.sleep(1)
        raise RuntimeError(
            f"manage.py {' '.join(arguments)} failed:\n{done.stdout[-500:]}{done.stderr[-2000:]}"
        )


@contextmanager
def running(data: Path) -> Iterator[System]:
    """Runs the migrated system and its processes for the block. `data` takes files and logs."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.environ[RUN_VARIABLE] = str(data)  # The next run finds the processes of a killed run by it.
    with ExitStack() as opened:
        disks = opened.enter_context(_small_disks(data))
        numbers = opened.enter_context(reserve_ports(len(PORTS) + len(LINKS)))
        ports, links = numbers[: len(PORTS)], numbers[len(PORTS) :]
        secrets = ensure_secrets(data / "secrets.env")
        topology = Topology(
            dict(zip(PORTS, ports, strict=True)), dict(zip(LINKS, links, strict=True)), secrets
        )
        servers = opened.enter_context(_servers(data, disks, topology).running())
        network = opened.enter_context(_network(topology, servers))
        urls = _databases(servers, topology)
        environment = topology.environment(data, files=disks.files.folder / "portal")
        direct = {VARIABLES[name]: url for name, url in urls.items()}
        direct["KAFKA_BOOTSTRAP_SERVERS"] = f"127.0.0.1:{topology.ports[DIRECT]}"
        prepare({**environment, **direct}, root=ROOT)
        add_demo({**environment, **direct}, root=ROOT)
        processes = opened.enter_context(_processes(data, topology, environment, disks))
        yield System(data, disks, topology, network, servers, urls, environment, processes)


@contextmanager
def _small_disks(data: Path) -> Iterator[Disks]:
    """Makes the disks, and writes down where they are, for a run after a killed one."""
    with ExitStack() as opened:
        database, kafka, files = (
            opened.enter_context(small_disk(megabytes=megabytes)) for megabytes in MEGABYTES
        )
        folders = [database.folder, kafka.folder, files.folder]
        (data / "disks").write_text("".join(f"{folder}\n" for folder in folders))
        for name in ("portal", "memory"):
            (files.folder / name).mkdir(mode=0o700)
        yield Disks(database, kafka, files)


def _servers(data: Path, disks: Disks, topology: Topology) -> Servers:
    password, cluster = topology.secrets["POSTGRES_PASSWORD"], disks.database.folder / "pg"
    create_cluster(cluster, password=password, throw_away=False)
    with (cluster / "postgresql.conf").open("a") as settings:
        settings.write(SETTINGS)
    kafka = partial(
        broker,
        disks.kafka.folder / "kafka",
        listeners=topology.listeners(),
        controller_port=topology.ports["controller"],
        log=data / "kafka.log",
    )
    queue = partial(
        valkey,
        data / "valkey",
        password=topology.secrets["VALKEY_PASSWORD"],
        port=topology.ports["valkey"],
    )
    return Servers(
        Restartable(partial(postgres, cluster, password=password)),
        Restartable(kafka),
        Restartable(queue),
    )


@contextmanager
def _network(topology: Topology, servers: Servers) -> Iterator[Network]:
    with Network().running() as network:
        for link, target in topology.targets(servers.database.start().socket_dir).items():
            network.add(link, port=topology.links[link], target=target)
        yield network


def _databases(servers: Servers, topology: Topology) -> dict[str, str]:
    server = servers.database.start()
    return {
        name: server.give_database(
            name, user=name, password=topology.secrets[f"{name.upper()}_DATABASE_PASSWORD"]
        )
        for name in VARIABLES
    }


@contextmanager
def _processes(
    data: Path, topology: Topology, environment: dict[str, str], disks: Disks
) -> Iterator[Processes]:
    file = data / "Procfile"
    file.touch(mode=0o600)
    memory = disks.files.folder / "memory" if disks.are_small else None
    file.write_text(topology.procfile(memory=memory))
    with (data / "processes.log").open("w") as log:
        processes = Processes(file, environment, output=log, backoff=PAUSES)
        processes.start()
        try:
            yield processes
        finally:
            processes.end()
