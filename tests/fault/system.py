"""The whole system of a run: real servers, the processes of the Procfile, a proxy on each way between two of them."""

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

from embedded.backoff import Pauses
from embedded.environment import MARK, ROOT
from embedded.initdb import make_cluster
from embedded.kafka import Kafka
from embedded.postgres import Postgres, postgres
from embedded.processes import Processes
from embedded.secrets import kept_secrets
from embedded.stack import prepare
from embedded.valkey import Valkey, valkey
from tests.fault.broker import broker
from tests.fault.disk import Disk, small_disk
from tests.fault.proxy import Network
from tests.fault.servers import Restartable
from tests.fault.topology import LINKS, PORTS, RIG, TO_CLIENT, VARIABLES, Ways
from tests.ports import reserve_ports

COMMAND_ATTEMPTS = 6
SETTINGS = "max_wal_size = 96MB\nmin_wal_size = 32MB\nautovacuum_naptime = 20s\n"
PAUSES = partial(Pauses, longest_seconds=1.0)  # Who is killed every few seconds is not to blame.


@dataclass(frozen=True)
class Servers:
    """What the processes stand on."""

    database: Restartable[Postgres]
    kafka: Restartable[Kafka]
    queue: Restartable[Valkey]

    @contextmanager
    def running(self) -> Iterator["Servers"]:
        everyone = (self.database, self.kafka, self.queue)
        try:
            with ThreadPoolExecutor() as pool:
                list(pool.map(lambda server: server.start(), everyone))
            yield self
        finally:
            for server in everyone:
                server.end()


@dataclass(frozen=True)
class System:
    """A running system, and the handles by which it is broken and looked at."""

    data: Path
    disk: Disk
    ways: Ways
    network: Network
    servers: Servers
    urls: dict[str, str]  # Of the databases, past every proxy.
    environment: dict[str, str]
    processes: Processes

    @property
    def address(self) -> str:
        """The portal as its clients reach it."""
        return f"http://127.0.0.1:{self.ways.links[TO_CLIENT]}"

    @property
    def brokers(self) -> str:
        return f"127.0.0.1:{self.ways.ports[RIG]}"

    def site(self, name: str) -> str:
        """The web address of this port, past every proxy."""
        return f"http://127.0.0.1:{self.ways.ports[name]}"

    def connect(self, database: str) -> psycopg2.extensions.connection:
        """As its owner, past every proxy. Raises psycopg2.OperationalError while PostgreSQL is away."""
        return psycopg2.connect(
            self.urls[database], connect_timeout=3, application_name="fault rig"
        )

    def command(self, *arguments: str, seconds: float = 120) -> subprocess.CompletedProcess[str]:
        """`manage.py …`, by the ways that the portal takes."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False, timeout=seconds,
        )  # fmt: skip

    def insist_on(self, *arguments: str) -> None:
        """A command that must be carried out, however often it takes."""
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
    """The system, migrated and with its processes started, until the block ends. `data` takes its files and logs."""
    (data / "portal").mkdir(mode=0o700, parents=True, exist_ok=True)
    os.environ[MARK] = str(data)  # So that the next run can find what a killed one left.
    with ExitStack() as opened:
        disk = opened.enter_context(small_disk())
        (data / "disk").write_text(str(disk.folder))
        numbers = opened.enter_context(reserve_ports(len(PORTS) + len(LINKS)))
        ports, links = numbers[: len(PORTS)], numbers[len(PORTS) :]
        secrets = kept_secrets(data / "secrets.env")
        ways = Ways(
            dict(zip(PORTS, ports, strict=True)), dict(zip(LINKS, links, strict=True)), secrets
        )
        servers = opened.enter_context(_servers(data, disk, ways).running())
        network = opened.enter_context(_network(ways, servers))
        urls = _databases(servers, ways)
        environment = ways.environment(data)
        direct = {VARIABLES[name]: url for name, url in urls.items()}
        prepare(
            {**environment, **direct, "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{ways.ports[RIG]}"},
            root=ROOT,
        )
        processes = opened.enter_context(_processes(data, ways, environment))
        yield System(data, disk, ways, network, servers, urls, environment, processes)


def _servers(data: Path, disk: Disk, ways: Ways) -> Servers:
    password, cluster = ways.secrets["POSTGRES_PASSWORD"], disk.folder / "pg"
    make_cluster(cluster, password=password, throw_away=False)
    with (cluster / "postgresql.conf").open("a") as settings:
        settings.write(SETTINGS)
    kafka = partial(
        broker, data / "kafka", doors=ways.doors(), controller_port=ways.ports["controller"]
    )
    queue = partial(
        valkey, data / "valkey", password=ways.secrets["VALKEY_PASSWORD"], port=ways.ports["valkey"]
    )  # fmt: skip
    return Servers(
        Restartable(partial(postgres, cluster, password=password)),
        Restartable(kafka),
        Restartable(queue),
    )


@contextmanager
def _network(ways: Ways, servers: Servers) -> Iterator[Network]:
    with Network().running() as network:
        for link, target in ways.targets(servers.database.start().socket_dir).items():
            network.add(link, port=ways.links[link], target=target)
        yield network


def _databases(servers: Servers, ways: Ways) -> dict[str, str]:
    server = servers.database.start()
    return {
        name: server.give_database(
            name, user=name, password=ways.secrets[f"{name.upper()}_DATABASE_PASSWORD"]
        )
        for name in VARIABLES
    }


@contextmanager
def _processes(data: Path, ways: Ways, environment: dict[str, str]) -> Iterator[Processes]:
    file = data / "Procfile"
    file.touch(mode=0o600)
    file.write_text(ways.procfile())
    with (data / "processes.log").open("w") as log:
        processes = Processes(file, environment, output=log, pauses=PAUSES)
        processes.start()
        try:
            yield processes
        finally:
            processes.end()
