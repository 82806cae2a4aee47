"""A database for a single test, and ways to take it away."""

import os
import secrets
import select
import socket
import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import psycopg2
from sqlalchemy import URL, make_url

from billing_grpc.schema import migrate

HOME = "BILLING_DATABASE_URL"


@contextmanager
def new_database(*, migrated: bool = True) -> Iterator[URL]:
    """Creates a database beside the one that the environment names, and drops it afterwards."""
    url = make_url(os.environ[HOME]).set(
        drivername="postgresql+psycopg2", database=f"billing_{secrets.token_hex(6)}"
    )
    execute(home_url(), f"CREATE DATABASE {url.database}")
    try:
        if migrated:
            migrate(url)
        yield url
    finally:
        # The last check of a server that just ended may come in between.
        execute(home_url(), f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS false")
        drop_connections(url)
        # This waits for the autovacuum; WITH (FORCE) may not end it.
        execute(home_url(), f"DROP DATABASE {url.database}")


@contextmanager
def database_away(url: URL) -> Iterator[None]:
    """Lets the database take no connections and lose those that it has."""
    execute(home_url(), f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS false")
    drop_connections(url)
    try:
        yield
    finally:
        execute(home_url(), f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS true")


def drop_connections(url: URL) -> None:
    """Ends the connections of clients; PostgreSQL would refuse to end the autovacuum."""
    clients = f"datname = '{url.database}' AND backend_type = 'client backend'"
    execute(home_url(), f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {clients}")


@contextmanager
def locked_accounts(url: URL, mode: str) -> Iterator[None]:
    """Locks the accounts: EXCLUSIVE stops writers, ACCESS EXCLUSIVE readers too."""
    connection = psycopg2.connect(dsn_of(url))
    try:
        connection.cursor().execute(f"LOCK TABLE billing_account IN {mode} MODE")
        yield
    finally:
        connection.close()


@contextmanager
def over_tcp(url: URL) -> Iterator[URL]:
    """Yields the same database at a TCP address.

    A server that listens on a socket alone gets a forwarder in front.
    """
    if url.host:
        yield url
        return
    socket_path = f"{url.query['host']}/.s.PGSQL.{url.query.get('port', '5432')}"

    class Forward(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.socket(socket.AF_UNIX) as server:
                server.connect(socket_path)
                pump(self.request, server)

    class Forwarder(socketserver.ThreadingTCPServer):
        # A connection that is still open, as of a health check, must not hold up the end.
        daemon_threads = True

    with Forwarder(("127.0.0.1", 0), Forward) as forwarder:
        Thread(target=forwarder.serve_forever, kwargs={"poll_interval": 0.05}).start()
        host, port = forwarder.server_address
        try:
            yield url.set(host=host, port=port).difference_update_query(["host", "port"])
        finally:
            forwarder.shutdown()


def pump(left: socket.socket, right: socket.socket) -> None:
    """Passes bytes both ways until one side ends."""
    while True:
        readable, _, _ = select.select([left, right], [], [])
        for source in readable:
            received = source.recv(65536)
            if not received:
                return
            (right if source is left else left).sendall(received)


def count_waiting_statements(url: URL) -> int:
    """Returns how many statements wait for a lock now."""
    [[count]] = execute(
        home_url(),
        "SELECT count(*) FROM pg_stat_activity"
        f" WHERE datname = '{url.database}' AND wait_event_type = 'Lock'",
    )
    return count


def execute(url: URL, statement: str) -> list[tuple]:
    connection = psycopg2.connect(dsn_of(url))
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def home_url() -> URL:
    return make_url(os.environ[HOME])


def dsn_of(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)
