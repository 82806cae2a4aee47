"""The three servers of a run together, with a database and a role for each service."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

from embedded.apache import apache_kafka
from embedded.environment import environment
from embedded.kafka import Kafka, kafka
from embedded.postgres import Postgres, postgres
from embedded.secrets import kept_secrets
from embedded.valkey import valkey

Server = TypeVar("Server")


@contextmanager
def servers(data: Path, chosen: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Run them on `data` until the block ends. Gives the environment for their clients.

    KAFKA in `chosen` says which broker: `embedded` (when it is empty) or `apache`, on KAFKA_PORT or a free port.
    """
    (data / "portal").mkdir(mode=0o700, exist_ok=True)
    secrets = kept_secrets(data / "secrets.env")
    with ExitStack() as opened, ThreadPoolExecutor() as pool:

        def start(server: AbstractContextManager[Server]) -> Future[Server]:
            return pool.submit(opened.enter_context, server)

        broker = start(_broker(data / "kafka", chosen))
        queue = start(valkey(data / "valkey", password=secrets["VALKEY_PASSWORD"]))
        database = start(postgres(data / "postgres", password=secrets["POSTGRES_PASSWORD"]))
        urls = {**_databases(database.result(), secrets), "CELERY_BROKER_URL": queue.result().url}
        yield environment(chosen, data=data, secrets=secrets, kafka=broker.result(), urls=urls)


def _databases(server: Postgres, secrets: Mapping[str, str]) -> dict[str, str]:
    def url(name: str) -> str:
        return server.give_database(name, user=name, password=secrets[f"{name.upper()}_DATABASE_PASSWORD"])

    return {
        "DATABASE_URL": url("portal"),
        "BILLING_DATABASE_URL": url("billing"),
        "ANALYTICS_DATABASE_URL": url("analytics"),
    }


def _broker(folder: Path, chosen: Mapping[str, str]) -> AbstractContextManager[Kafka]:
    kind = chosen.get("KAFKA") or "embedded"
    if kind == "embedded":
        return kafka(folder)
    if kind == "apache":
        return apache_kafka(folder, port=int(chosen.get("KAFKA_PORT") or 0))
    raise RuntimeError(f"KAFKA={kind} is not known: it is embedded or apache.")
