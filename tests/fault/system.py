"""The whole system of a run: real servers, the processes of the Procfile, a proxy on each way between two of them."""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psycopg2
from honcho.environ import parse_procfile

from embedded.cluster import make_cluster
from embedded.environment import MARK, ROOT, environment
from embedded.kafka import Kafka
from embedded.pauses import Pauses
from embedded.postgres import Postgres, postgres
from embedded.processes import Processes
from embedded.secrets import kept_secrets
from embedded.stack import prepare
from embedded.valkey import Valkey, valkey
from tests.fault.broker import broker
from tests.fault.disk import Disk, small_disk
from tests.fault.proxy import Network
from tests.fault.servers import Restartable
from tests.ports import kept_ports

PROCESSES = {
    "portal": "portal", "relay-1": "relay", "relay-2": "relay", "worker": "worker",
    "billing": "billing", "analytics-1": "analytics", "analytics-2": "analytics",
}  # fmt: skip
DATABASE_OF = {
    "portal": "portal",
    "relay": "portal",
    "worker": "portal",
    "billing": "billing",
    "analytics": "analytics",
}
DOORS = ("RIG", "RELAY", "ANALYTICS1", "ANALYTICS2")  # The ways into Kafka.
PORTS = (
    "portal", "internal", "billing", "analytics-1", "analytics-2", "valkey", "controller", *DOORS,
)  # fmt: skip
LINKS = (
    "client to portal", "portal to analytics", "relays to billing", "portal and worker to Valkey",
    "relays to Kafka", "analytics-1 to Kafka", "analytics-2 to Kafka",
    *(f"{name} to PostgreSQL" for name in PROCESSES),
)  # fmt: skip
COMMAND_ATTEMPTS = 6
SETTINGS = "max_wal_size = 96MB\nmin_wal_size = 32MB\nautovacuum_naptime = 20s\n"


@dataclass
class System:
    """A running system, and the handles by which it is broken and looked at."""

    data: Path
    disk: Disk
    ports: dict[str, int]
    ways: dict[str, int]
    network: Network
    environment: dict[str, str]
    database: Restartable[Postgres]
    kafka: Restartable[Kafka]
    queue: Restartable[Valkey]
    processes: Processes
    urls: dict[str, str] = field(default_factory=dict)  # Of the databases, past every proxy.

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.ways['client to portal']}"

    @property
    def internal(self) -> str:
        return f"http://127.0.0.1:{self.ports['internal']}"

    @property
    def pages(self) -> str:
        return f"http://127.0.0.1:{self.ports['portal']}"

    @property
    def brokers(self) -> str:
        return f"127.0.0.1:{self.ports['RIG']}"

    def analytics(self, number: int = 1) -> str:
        return f"http://127.0.0.1:{self.ports[f'analytics-{number}']}"

    def connect(self, database: str) -> psycopg2.extensions.connection:
        """As its owner, past every proxy. Raises psycopg2.OperationalError while PostgreSQL is away."""
        return psycopg2.connect(self.urls[database], connect_timeout=3, application_name="fault rig")

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
        raise RuntimeError(f"manage.py {' '.join(arguments)} failed:\n{done.stdout[-500:]}{done.stderr[-2000:]}")


@contextmanager
def running(data: Path) -> Iterator[System]:
    """The system, migrated and with its processes started, until the block ends. `data` takes its files and logs."""
    data.mkdir(parents=True, exist_ok=True)
    with ExitStack() as opened:
        disk = opened.enter_context(small_disk())
        (data / "disk").write_text(str(disk.folder))
        numbers = iter(opened.enter_context(kept_ports(len(PORTS) + len(LINKS))))
        ports, ways = dict(zip(PORTS, numbers, strict=False)), {}
        ways = dict(zip(LINKS, numbers, strict=True))
        secrets = kept_secrets(data / "secrets.env")
        os.environ[MARK] = str(data)  # So that the next run can find what a killed one left.
        database, kafka, queue = _servers(data, disk, ports, ways, secrets)
        for server in (queue, database, kafka):
            opened.callback(server.end)
            server.start()
        network = opened.enter_context(Network().running())
        _open_ways(network, ports, ways, database)
        urls = _databases(database, secrets)
        variables = _environment(data, ports, ways, secrets, queue)
        prepare({**variables, **_over_sockets(urls), "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{ports['RIG']}"}, root=ROOT)
        log = opened.enter_context((data / "processes.log").open("w"))
        procfile = _procfile(data, ports, ways, variables)
        processes = Processes(procfile, variables, output=log, pauses=partial(Pauses, longest_seconds=1.0))
        opened.callback(processes.end)
        processes.start()
        yield System(data, disk, ports, ways, network, variables, database, kafka, queue, processes, urls)


def _servers(
    data: Path, disk: Disk, ports: Mapping[str, int], ways: Mapping[str, int], secrets: Mapping[str, str]
) -> tuple[Restartable[Postgres], Restartable[Kafka], Restartable[Valkey]]:
    password = secrets["POSTGRES_PASSWORD"]
    cluster = disk.folder / "pg"
    make_cluster(cluster, password=password, throw_away=False)
    with (cluster / "postgresql.conf").open("a") as settings:
        settings.write(SETTINGS)
    tells = {
        "RIG": ports["RIG"],
        "RELAY": ways["relays to Kafka"],
        "ANALYTICS1": ways["analytics-1 to Kafka"],
        "ANALYTICS2": ways["analytics-2 to Kafka"],
    }
    doors = {name: (ports[name], tells[name]) for name in DOORS}
    return (
        Restartable("PostgreSQL", partial(postgres, cluster, password=password)),
        Restartable(
            "Kafka", partial(broker, data / "kafka", doors=doors, controller_port=ports["controller"])
        ),
        Restartable(
            "Valkey", partial(valkey, data / "valkey", password=secrets["VALKEY_PASSWORD"], port=ports["valkey"])
        ),
    )  # fmt: skip


def _open_ways(
    network: Network, ports: Mapping[str, int], ways: Mapping[str, int], database: Restartable[Postgres]
) -> None:
    server = database.start()
    targets: dict[str, int | Path] = {
        "client to portal": ports["portal"],
        "portal to analytics": ports["analytics-1"],
        "relays to billing": ports["billing"],
        "portal and worker to Valkey": ports["valkey"],
        "relays to Kafka": ports["RELAY"],
        "analytics-1 to Kafka": ports["ANALYTICS1"],
        "analytics-2 to Kafka": ports["ANALYTICS2"],
    }
    for link in LINKS:
        network.add(link, port=ways[link], target=targets.get(link, server.socket_dir / ".s.PGSQL.5432"))


def _databases(database: Restartable[Postgres], secrets: Mapping[str, str]) -> dict[str, str]:
    server = database.start()
    return {
        name: server.give_database(name, user=name, password=secrets[f"{name.upper()}_DATABASE_PASSWORD"])
        for name in ("portal", "billing", "analytics")
    }


def _over_sockets(urls: Mapping[str, str]) -> dict[str, str]:
    return {variable(name): url for name, url in urls.items()}


def variable(database: str) -> str:
    """The variable that holds the address of this database."""
    return "DATABASE_URL" if database == "portal" else f"{database.upper()}_DATABASE_URL"


def _url(process: str, ways: Mapping[str, int], secrets: Mapping[str, str]) -> str:
    name = DATABASE_OF[PROCESSES[process]]
    password = secrets[f"{name.upper()}_DATABASE_PASSWORD"]
    return f"postgresql://{name}:{password}@127.0.0.1:{ways[f'{process} to PostgreSQL']}/{name}"


def _environment(
    data: Path,
    ports: Mapping[str, int],
    ways: Mapping[str, int],
    secrets: Mapping[str, str],
    queue: Restartable[Valkey],
) -> dict[str, str]:
    """Of the portal, and of every command; the lines of the Procfile change what is theirs."""
    chosen = {
        **os.environ,
        "PORTAL_PORT": str(ports["portal"]),
        "PORTAL_INTERNAL_PORT": str(ports["internal"]),
        "BILLING_PORT": str(ports["billing"]),
        "ANALYTICS_PORT": str(ports["analytics-1"]),
        "PYTHONPATH": str(ROOT),
    }
    kafka = Kafka(0, f"127.0.0.1:{ways['relays to Kafka']}", api_version="", forgets=False)
    valkey_url = queue.start().url.replace(f":{ports['valkey']}/", f":{ways['portal and worker to Valkey']}/")
    urls = {
        "DATABASE_URL": _url("portal", ways, secrets),
        "BILLING_DATABASE_URL": _url("billing", ways, secrets),
        "ANALYTICS_DATABASE_URL": _url("analytics-1", ways, secrets),
        "CELERY_BROKER_URL": valkey_url,
    }
    (data / "portal").mkdir(mode=0o700, exist_ok=True)
    return {
        **environment(chosen, data=data, secrets=secrets, kafka=kafka, urls=urls),
        "BILLING_GRPC_ADDRESS": f"127.0.0.1:{ways['relays to billing']}",
        "ANALYTICS_URL": f"http://127.0.0.1:{ways['portal to analytics']}",
    }


def _procfile(data: Path, ports: Mapping[str, int], ways: Mapping[str, int], variables: Mapping[str, str]) -> Path:
    """The commands of the real Procfile, twice where two may run, each with ways of its own."""
    commands = parse_procfile((ROOT / "Procfile").read_text()).processes
    secrets = kept_secrets(data / "secrets.env")
    lines = []
    for process, line in PROCESSES.items():
        own = {variable(DATABASE_OF[line]): _url(process, ways, secrets)}
        if line == "analytics":
            own["ANALYTICS_PORT"] = str(ports[process])
            own["KAFKA_BOOTSTRAP_SERVERS"] = f"127.0.0.1:{ways[f'{process} to Kafka']}"
        words = ["env", "-C", str(ROOT), *(f"{name}={value}" for name, value in own.items())]
        lines.append(f"{process}: {shlex.join(words)} {commands[line]}\n")
    file = data / "Procfile"
    file.touch(mode=0o600)
    file.write_text("".join(lines))
    return file
