"""Who talks to whom in a run, each by a proxy; the environment and the Procfile that make them do it."""

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from honcho.environ import parse_procfile

from embedded.environment import ROOT, environment
from embedded.kafka import Kafka

# Each line of the rig's Procfile, and the line of the real one that it repeats.
PROCESSES = {
    "portal": "portal", "relay-1": "relay", "relay-2": "relay", "worker": "worker",
    "billing": "billing", "analytics-1": "analytics", "analytics-2": "analytics",
}  # fmt: skip
DATABASES = {
    "portal": "portal", "relay": "portal", "worker": "portal", "billing": "billing", "analytics": "analytics",
}  # fmt: skip
VARIABLES = {
    "portal": "DATABASE_URL", "billing": "BILLING_DATABASE_URL", "analytics": "ANALYTICS_DATABASE_URL",
}  # fmt: skip
RIG = "RIG"
DOORS = {
    "RELAY": "relays to Kafka", "ANALYTICS1": "analytics-1 to Kafka", "ANALYTICS2": "analytics-2 to Kafka",
}  # fmt: skip
TO_CLIENT, TO_ANALYTICS, TO_BILLING, TO_QUEUE = (
    "client to portal", "portal to analytics", "relays to billing", "portal and worker to Valkey",
)  # fmt: skip
LINKS = (
    TO_CLIENT, TO_ANALYTICS, TO_BILLING, TO_QUEUE, *DOORS.values(), *(f"{name} to PostgreSQL" for name in PROCESSES),
)  # fmt: skip
PORTS = (
    "portal",
    "internal",
    "billing",
    "analytics-1",
    "analytics-2",
    "valkey",
    "controller",
    RIG,
    *DOORS,
)
SOCKET = ".s.PGSQL.5432"


@dataclass(frozen=True)
class Ways:
    """The port of each server, and of the proxy on each link."""

    ports: Mapping[str, int]
    links: Mapping[str, int]
    secrets: Mapping[str, str]

    def targets(self, sockets: Path) -> dict[str, int | Path]:
        """Where each proxy leads; `sockets` is the folder of PostgreSQL's."""
        there = {
            TO_CLIENT: "portal",
            TO_ANALYTICS: "analytics-1",
            TO_BILLING: "billing",
            TO_QUEUE: "valkey",
        }
        there |= {link: channel for channel, link in DOORS.items()}
        return {
            link: self.ports[there[link]] if link in there else sockets / SOCKET for link in LINKS
        }

    def doors(self) -> dict[str, tuple[int, int]]:
        """For each listener of Kafka its port, and the one that it tells clients: that of their proxy."""
        return {
            RIG: (self.ports[RIG], self.ports[RIG]),
            **{channel: (self.ports[channel], self.links[link]) for channel, link in DOORS.items()},
        }

    def environment(self, data: Path) -> dict[str, str]:
        """Of the portal, and of every command; the lines of the Procfile change what is theirs."""
        chosen = {
            **os.environ,
            "PORTAL_PORT": str(self.ports["portal"]),
            "PORTAL_INTERNAL_PORT": str(self.ports["internal"]),
            "BILLING_PORT": str(self.ports["billing"]),
            "ANALYTICS_PORT": str(self.ports["analytics-1"]),
            "PYTHONPATH": str(ROOT),
        }
        kafka = Kafka(0, f"127.0.0.1:{self.links[DOORS['RELAY']]}", api_version="", forgets=False)
        queue = f"redis://:{self.secrets['VALKEY_PASSWORD']}@127.0.0.1:{self.links[TO_QUEUE]}/0"
        urls = {
            **{VARIABLES[DATABASES[name]]: self._url(name) for name in ("portal", "billing")},
            VARIABLES["analytics"]: self._url("analytics-1"),
            "CELERY_BROKER_URL": queue,
        }
        return {
            **environment(chosen, data=data, secrets=self.secrets, kafka=kafka, urls=urls),
            "BILLING_GRPC_ADDRESS": f"127.0.0.1:{self.links[TO_BILLING]}",
            "ANALYTICS_URL": f"http://127.0.0.1:{self.links[TO_ANALYTICS]}",
        }

    def procfile(self) -> str:
        """The commands of the real Procfile, twice where two may run, each with ways of its own."""
        commands = parse_procfile((ROOT / "Procfile").read_text()).processes
        return "".join(
            f"{name}: {shlex.join(self._words(name, line))} {commands[line]}\n"
            for name, line in PROCESSES.items()
        )

    def _words(self, name: str, line: str) -> list[str]:
        own = {VARIABLES[DATABASES[line]]: self._url(name)}
        if line == "analytics":
            own["ANALYTICS_PORT"] = str(self.ports[name])
            own["KAFKA_BOOTSTRAP_SERVERS"] = f"127.0.0.1:{self.links[f'{name} to Kafka']}"
        return ["env", "-C", str(ROOT), *(f"{variable}={value}" for variable, value in own.items())]

    def _url(self, name: str) -> str:
        database = DATABASES[PROCESSES[name]]
        password = self.secrets[f"{database.upper()}_DATABASE_PASSWORD"]
        return f"postgresql://{database}:{password}@127.0.0.1:{self.links[f'{name} to PostgreSQL']}/{database}"
