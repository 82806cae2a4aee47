"""Which part talks to which in a run, each link by a proxy; the environment and the Procfile."""

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from honcho.environ import parse_procfile

from embedded.environment import ROOT, build_environment
from embedded.kafka import Kafka

# Each line of the run's Procfile, and the line of the real Procfile that it repeats.
PROCESSES = {
    "portal": "portal",
    "relay-1": "relay",
    "relay-2": "relay",
    "worker": "worker",
    "billing": "billing",
    "analytics-1": "analytics",
    "analytics-2": "analytics",
}
DATABASES = {
    "portal": "portal",
    "relay": "portal",
    "worker": "portal",
    "billing": "billing",
    "analytics": "analytics",
}
VARIABLES = {
    "portal": "DATABASE_URL",
    "billing": "BILLING_DATABASE_URL",
    "analytics": "ANALYTICS_DATABASE_URL",
}
DIRECT = "RIG"  # the listener of Kafka without a proxy, for the run itself
LISTENERS = {
    "RELAY": "relays to Kafka",
    "ANALYTICS1": "analytics-1 to Kafka",
    "ANALYTICS2": "analytics-2 to Kafka",
}
TO_CLIENT = "client to portal"
TO_ANALYTICS = "portal to analytics"
TO_BILLING = "relays to billing"
TO_QUEUE = "portal and worker to Valkey"
LINKS = (
    TO_CLIENT,
    TO_ANALYTICS,
    TO_BILLING,
    TO_QUEUE,
    *LISTENERS.values(),
    *(f"{name} to PostgreSQL" for name in PROCESSES),
)
PORTS = (
    "portal",
    "internal",
    "billing",
    "analytics-1",
    "analytics-2",
    "valkey",
    "controller",
    DIRECT,
    *LISTENERS,
)
SOCKET = ".s.PGSQL.5432"


@dataclass(frozen=True)
class Topology:
    """The port of each server, and of the proxy on each link."""

    ports: Mapping[str, int]
    links: Mapping[str, int]
    secrets: Mapping[str, str]

    def targets(self, sockets: Path) -> dict[str, int | Path]:
        """Returns the target of each proxy; `sockets` is the folder of PostgreSQL's socket."""
        ports = {
            TO_CLIENT: "portal",
            TO_ANALYTICS: "analytics-1",
            TO_BILLING: "billing",
            TO_QUEUE: "valkey",
        }
        ports |= {link: name for name, link in LISTENERS.items()}
        return {
            link: self.ports[ports[link]] if link in ports else sockets / SOCKET for link in LINKS
        }

    def listeners(self) -> dict[str, tuple[int, int]]:
        """Returns the port of each listener of Kafka, and the advertised port of its proxy."""
        return {
            DIRECT: (self.ports[DIRECT], self.ports[DIRECT]),
            **{name: (self.ports[name], self.links[link]) for name, link in LISTENERS.items()},
        }

    def environment(self, data: Path, *, files: Path) -> dict[str, str]:
        """Returns the environment of the portal and of commands; Procfile lines override it.

        `files` is the folder for uploads.
        """
        chosen = {
            **os.environ,
            "PORTAL_PORT": str(self.ports["portal"]),
            "PORTAL_INTERNAL_PORT": str(self.ports["internal"]),
            "BILLING_PORT": str(self.ports["billing"]),
            "ANALYTICS_PORT": str(self.ports["analytics-1"]),
            "PYTHONPATH": str(ROOT),
        }
        kafka = Kafka(
            0, f"127.0.0.1:{self.links[LISTENERS['RELAY']]}", api_version="", is_in_memory=False
        )
        queue = f"redis://:{self.secrets['VALKEY_PASSWORD']}@127.0.0.1:{self.links[TO_QUEUE]}/0"
        urls = {
            **{VARIABLES[DATABASES[name]]: self._url(name) for name in ("portal", "billing")},
            VARIABLES["analytics"]: self._url("analytics-1"),
            "CELERY_BROKER_URL": queue,
        }
        return {
            **build_environment(chosen, data=data, secrets=self.secrets, kafka=kafka, urls=urls),
            "PORTAL_DATA_DIR": str(files),
            "IMPORT_MAX_BYTES": "5000000",  # The disk is nearly full below twice as much.
            "BILLING_GRPC_ADDRESS": f"127.0.0.1:{self.links[TO_BILLING]}",
            "ANALYTICS_URL": f"http://127.0.0.1:{self.links[TO_ANALYTICS]}",
        }

    def procfile(self, *, memory: Path | None = None) -> str:
        """Returns the Procfile of the run: the real commands, each with links of its own.

        `memory` is a folder in place of the portal's /dev/shm.
        """
        commands = parse_procfile((ROOT / "Procfile").read_text()).processes
        return "".join(
            f"{name}: {shlex.join(self._words(name, line, memory))} {commands[line]}\n"
            for name, line in PROCESSES.items()
        )

    def _words(self, name: str, line: str, memory: Path | None) -> list[str]:
        own = {VARIABLES[DATABASES[line]]: self._url(name)}
        if line == "analytics":
            own["ANALYTICS_PORT"] = str(self.ports[name])
            own["KAFKA_BOOTSTRAP_SERVERS"] = f"127.0.0.1:{self.links[f'{name} to Kafka']}"
        words = ["env", "-C", str(ROOT), *(f"{name}={value}" for name, value in own.items())]
        if line == "portal" and memory:
            bind = f'mount --bind {shlex.quote(str(memory))} /dev/shm; exec "$@"'
            words += ["WEB_CONCURRENCY=2", "unshare", "--mount", "sh", "-ec", bind, "sh"]
        return words

    def _url(self, name: str) -> str:
        database = DATABASES[PROCESSES[name]]
        password = self.secrets[f"{database.upper()}_DATABASE_PASSWORD"]
        port = self.links[f"{name} to PostgreSQL"]
        return f"postgresql://{database}:{password}@127.0.0.1:{port}/{database}"
