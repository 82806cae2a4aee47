"""A database of its own for a test, and ways to take it away."""

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
    """Beside the one that the environment names; gone afterwards."""
    url = make_url(os.environ[HOME]).set(
        drivername="postgresql+psycopg2", database=f"billing_{secrets.token_hex(6)}"
    )
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
def away(url: URL) -> Iterator[None]:
    """The database takes no connections and loses those it has."""
    tell(home(), f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS false")
    drop_connections(url)
    try:
        yield
    finally:
        tell(home(), f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS true")


def drop_connections(url: URL) -> None:
    """Those of clients: the autovacuum is not ours to end, and PostgreSQL refuses it with an error."""
    clients = f"datname = '{url.database}' AND backend_type = 'client backend'"
    tell(home(), f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {clients}")


@contextmanager
def locked(url: URL, mode: str) -> Iterator[None]:
    """The accounts are locked by somebody else: EXCLUSIVE stops writers, ACCESS EXCLUSIVE readers too."""
    connection = psycopg2.connect(address(url))
    try:
        connection.cursor().execute(f"LOCK TABLE billing_account IN {mode} MODE")
        yield
    finally:
        connection.close()


@contextmanager
def over_tcp(url: URL) -> Iterator[URL]:
    """The same database at a TCP address; a server that listens on a socket alone gets a forwarder in front."""
    if url.host:
        yield url
        return
    socket_path = f"{url.query['host']}/.s.PGSQL.{url.query.get('port', '5432')}"

    class Forward(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.socket(socket.AF_UNIX) as behind:
                behind.connect(socket_path)
                pump(self.request, behind)

    class Forwarder(socketserver.ThreadingTCPServer):
        daemon_threads = (
            True  # A connection that is still open, as of a health check, must not hold up the end.
        )

    with Forwarder(("127.0.0.1", 0), Forward) as forwarder:
        Thread(target=forwarder.serve_forever, kwargs={"poll_interval": 0.05}).start()
        host, port = forwarder.server_address
        try:
            yield url.set(host=host, port=port).difference_update_query(["host", "port"])
        finally:
            forwarder.shutdown()


def pump(one: socket.socket, other: socket.socket) -> None:
    """Pass bytes both ways until one side ends."""
    while True:
        for source in select.select([one, other], [], [])[0]:
            received = source.recv(65536)
            if not received:
                return
            (other if source is one else one).sendall(received)


def waiting(url: URL) -> int:
    """How many statements wait for a lock now."""
    [[count]] = tell(
        home(),
        f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{url.database}' AND wait_event_type = 'Lock'",
    )
    return count


def tell(url: URL, statement: str) -> list[tuple]:
    connection = psycopg2.connect(address(url))
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def home() -> URL:
    return make_url(os.environ[HOME])


def address(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)
