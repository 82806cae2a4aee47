"""Runs the three servers of a run together, with a database and a role for each service."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path

from embedded.apache import apache_kafka
from embedded.environment import build_environment
from embedded.kafka import Kafka, kafka
from embedded.postgres import Postgres, postgres, socket_folder
from embedded.postgres_memory import machine_bytes, memory_settings
from embedded.programs import reserve_port
from embedded.secrets import ensure_secrets
from embedded.supervisor import Server, Supervisor
from embedded.valkey import valkey

BROKERS = {"embedded": kafka, "apache": apache_kafka}


@contextmanager
def run_servers(data: Path, settings: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Runs the servers on `data` until the block ends and yields the environment of their clients.

    A server that is killed comes back. KAFKA in `settings` chooses the broker: `embedded` (when it
    is empty) or `apache`, on KAFKA_PORT or a free port.
    """
    (data / "portal").mkdir(mode=0o700, exist_ok=True)
    secrets = ensure_secrets(data / "secrets.env")
    with ExitStack() as opened:

        def supervise(
            name: str, run: Callable[[], AbstractContextManager[Server]]
        ) -> Supervisor[Server]:
            supervisor = Supervisor(name, run)
            opened.callback(supervisor.end)
            supervisor.start()
            return supervisor

        password = secrets["POSTGRES_PASSWORD"]
        socket_dir = opened.enter_context(socket_folder(data / "postgres"))
        port = opened.enter_context(reserve_port(int(settings.get("KAFKA_PORT") or 0)))
        queue_port = opened.enter_context(reserve_port())
        broker = supervise("Kafka", partial(_broker(settings), data / "kafka", port=port))
        queue = supervise(
            "Valkey",
            partial(valkey, data / "valkey", password=secrets["VALKEY_PASSWORD"], port=queue_port),
        )
        database = supervise(
            "PostgreSQL",
            partial(
                postgres,
                data / "postgres",
                password=password,
                socket_dir=socket_dir,
                sizes=memory_settings(machine_bytes()),
            ),
        )
        urls = {**_databases(database.server(), secrets), "CELERY_BROKER_URL": queue.server().url}
        yield build_environment(
            settings, data=data, secrets=secrets, kafka=broker.server(), urls=urls
        )


def _databases(server: Postgres, secrets: Mapping[str, str]) -> dict[str, str]:
    def url(name: str) -> str:
        return server.give_database(
            name, user=name, password=secrets[f"{name.upper()}_DATABASE_PASSWORD"]
        )

    return {
        "DATABASE_URL": url("portal"),
        "BILLING_DATABASE_URL": url("billing"),
        "ANALYTICS_DATABASE_URL": url("analytics"),
    }


def _broker(settings: Mapping[str, str]) -> Callable[..., AbstractContextManager[Kafka]]:
    kind = settings.get("KAFKA") or "embedded"
    if kind not in BROKERS:
        raise RuntimeError(f"KAFKA={kind} is not known: it is {' or '.join(BROKERS)}.")
    return BROKERS[kind]
