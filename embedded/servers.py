"""The three servers of a run together, with a database and a role for each service."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path

from embedded.apache import apache_kafka
from embedded.environment import environment
from embedded.kafka import Kafka, kafka
from embedded.postgres import Postgres, postgres, socket_folder
from embedded.programs import reserve_port
from embedded.secrets import kept_secrets
from embedded.supervisor import Keeper, Server
from embedded.valkey import valkey

BROKERS = {"embedded": kafka, "apache": apache_kafka}


@contextmanager
def servers(data: Path, chosen: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Run them on `data` until the block ends; one that is killed comes back. Gives the environment for their clients.

    KAFKA in `chosen` says which broker: `embedded` (when it is empty) or `apache`, on KAFKA_PORT or a free port.
    """
    (data / "portal").mkdir(mode=0o700, exist_ok=True)
    secrets = kept_secrets(data / "secrets.env")
    with ExitStack() as opened:

        def keep(name: str, run: Callable[[], AbstractContextManager[Server]]) -> Keeper[Server]:
            keeper = Keeper(name, run)
            opened.callback(keeper.end)
            keeper.start()
            return keeper

        password = secrets["POSTGRES_PASSWORD"]
        socket_dir = opened.enter_context(socket_folder(data / "postgres"))
        port = opened.enter_context(reserve_port(int(chosen.get("KAFKA_PORT") or 0)))
        queue_port = opened.enter_context(reserve_port())
        broker = keep("Kafka", partial(_broker(chosen), data / "kafka", port=port))
        queue = keep(
            "Valkey",
            partial(valkey, data / "valkey", password=secrets["VALKEY_PASSWORD"], port=queue_port),
        )
        database = keep(
            "PostgreSQL",
            partial(postgres, data / "postgres", password=password, socket_dir=socket_dir),
        )
        urls = {**_databases(database.server(), secrets), "CELERY_BROKER_URL": queue.server().url}
        yield environment(chosen, data=data, secrets=secrets, kafka=broker.server(), urls=urls)


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


def _broker(chosen: Mapping[str, str]) -> Callable[..., AbstractContextManager[Kafka]]:
    kind = chosen.get("KAFKA") or "embedded"
    if kind not in BROKERS:
        raise RuntimeError(f"KAFKA={kind} is not known: it is {' or '.join(BROKERS)}.")
    return BROKERS[kind]
