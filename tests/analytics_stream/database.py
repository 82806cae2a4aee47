"""A database of its own for a test, and ways to take it away."""

import os
import secrets
from contextlib import contextmanager

import psycopg2
from sqlalchemy import make_url

from analytics_stream.folding import State
from analytics_stream.schema import migrate

HOME = "ANALYTICS_DATABASE_URL"


@contextmanager
def new_database(*, migrated=True):
    """Beside the one that the environment names; gone afterwards."""
    url = home().set(drivername="postgresql+psycopg2", database=f"analytics_{secrets.token_hex(6)}")
    tell(home(), f"CREATE DATABASE {url.database}")
    try:
        if migrated:
            migrate(url)
        yield url
    finally:
        # Else the last look of a server that just ended may come in between.
        tell(home(), f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS false")
        drop_connections(url)
        tell(
            home(), f"DROP DATABASE {url.database}"
        )  # Waits for the autovacuum; WITH (FORCE) may not end it.


@contextmanager
def away(url):
    """The database takes no connections and loses those it has."""
    tell(home(), f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS false")
    drop_connections(url)
    try:
        yield
    finally:
        tell(home(), f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS true")


def drop_connections(url):
    """Those of clients: the autovacuum is not ours to end, and PostgreSQL refuses it with an error."""
    clients = f"datname = '{url.database}' AND backend_type = 'client backend'"
    tell(home(), f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {clients}")


@contextmanager
def locked(url, statement):
    """Somebody else holds the locks of this statement."""
    connection = psycopg2.connect(address(url))
    try:
        connection.cursor().execute(statement)
        yield
    finally:
        connection.close()


def waiting(url):
    """How many statements wait for a lock now."""
    waits = "wait_event_type = 'Lock'"
    [[count]] = tell(
        home(),
        f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{url.database}' AND {waits}",
    )
    return count


def wipe(url):
    """Everything that was counted is gone, as after `DROP DATABASE` and a new migration."""
    tell(
        url,
        "TRUNCATE counted_event, patient_state, figure, read_offset; UPDATE last_event SET occurred_at = NULL",
    )


def figures_in(url):
    """Every count that is not 0, as `memory.MemoryStore.figures` gives them."""
    return {
        (name, bucket): count
        for name, bucket, count in tell(url, "SELECT * FROM figure WHERE count <> 0")
    }


def states_in(url):
    """Every patient's state, as `memory.MemoryStore.states` has them."""
    columns = ", ".join(State._fields).replace("patient_id", "patient_id::text", 1)
    return {state[0]: State(*state) for state in tell(url, f"SELECT {columns} FROM patient_state")}


def tell(url, statement):
    connection = psycopg2.connect(address(url))
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def home():
    return make_url(os.environ[HOME])


def address(url):
    return url.set(drivername="postgresql").render_as_string(hide_password=False)
