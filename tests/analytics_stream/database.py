"""Creates a database for a test, reads it, and takes it away."""

import os
import secrets
from contextlib import contextmanager

import psycopg2
from sqlalchemy import make_url

from analytics_stream.folding import State
from analytics_stream.schema import migrate

URL_VARIABLE = "ANALYTICS_DATABASE_URL"


@contextmanager
def new_database(*, migrated=True):
    """Creates a database on the server that the environment names, and drops it afterwards."""
    url = server_url().set(
        drivername="postgresql+psycopg2", database=f"analytics_{secrets.token_hex(6)}"
    )
    execute(server_url(), f"CREATE DATABASE {url.database}")
    try:
        if migrated:
            migrate(url)
        yield url
    finally:
        # Otherwise the last query of a worker that just ended may come in between.
        execute(server_url(), f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS false")
        drop_connections(url)
        # This waits for the autovacuum, which WITH (FORCE) may not end.
        execute(server_url(), f"DROP DATABASE {url.database}")


@contextmanager
def database_away(url):
    """Closes the database to connections for the block, and ends those that it has."""
    execute(server_url(), f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS false")
    drop_connections(url)
    try:
        yield
    finally:
        execute(server_url(), f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS true")


def drop_connections(url):
    """Ends the connections of clients. PostgreSQL refuses to end the autovacuum with an error."""
    clients = f"datname = '{url.database}' AND backend_type = 'client backend'"
    execute(server_url(), f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {clients}")


@contextmanager
def hold_locks(url, statement):
    """Holds the locks of this statement in another session."""
    connection = psycopg2.connect(address(url))
    try:
        connection.cursor().execute(statement)
        yield
    finally:
        connection.close()


def count_waiting(url):
    """Returns how many statements wait for a lock now."""
    waits = "wait_event_type = 'Lock'"
    [[count]] = execute(
        server_url(),
        f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{url.database}' AND {waits}",
    )
    return count


def wipe(url):
    """Deletes everything that was counted, as `DROP DATABASE` and a new migration do."""
    execute(
        url,
        "TRUNCATE counted_event, patient_state, figure, read_offset;"
        "UPDATE last_event SET occurred_at = NULL",
    )


def read_figures(url):
    """Returns every count that is not 0, as `MemoryStore.figures` does."""
    rows = execute(url, "SELECT * FROM figure WHERE count <> 0")
    return {(name, bucket): count for name, bucket, count in rows}


def read_states(url):
    """Returns every patient's state, as `MemoryStore.states` has them."""
    columns = ", ".join(State._fields).replace("patient_id", "patient_id::text", 1)
    return {
        state[0]: State(*state) for state in execute(url, f"SELECT {columns} FROM patient_state")
    }


def execute(url, statement):
    connection = psycopg2.connect(address(url))
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def server_url():
    return make_url(os.environ[URL_VARIABLE])


def address(url):
    return url.set(drivername="postgresql").render_as_string(hide_password=False)
