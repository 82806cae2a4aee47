"""A supervisor starts each of the three servers again when it ends."""

import io
import os
import signal
import threading
from contextlib import closing, contextmanager
from functools import partial

import psycopg2
import pytest
import redis

from embedded.apache import apache_kafka
from embedded.kafka import kafka
from embedded.postgres import postgres, socket_folder
from embedded.programs import reserve_port, write_private_file
from embedded.supervisor import Supervisor
from embedded.valkey import valkey
from tests.embedded.test_start_kafka import read, send
from tests.waits import has_ended, wait_for


@contextmanager
def supervised(run):
    """Yields a supervised server, and the output of its supervisor."""
    output = io.StringIO()
    supervisor = Supervisor("The server", run, output=output)
    supervisor.start()
    try:
        yield supervisor.server(), output
    finally:
        supervisor.end()


def kill(server, output):
    """Kills the server and returns when it runs again."""
    os.kill(server.pid, signal.SIGKILL)
    wait_for(lambda: "The server runs again" in output.getvalue(), seconds=120)
    assert "The server ended with code -9; it starts again in 0.2 s" in output.getvalue()


def sql(url, statement):
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()


@pytest.mark.parametrize("depth", [1, 25], ids=["a short path", "a long path"])
def test_postgresql_comes_back_at_its_address_with_what_was_committed(short_tmp_path, depth):
    data = short_tmp_path / ("deep" * depth) / "postgres"
    with socket_folder(data) as place:
        run = partial(postgres, data, password="first", throw_away=True, socket_dir=place)
        with supervised(run) as (server, output):
            url = server.url("postgres")
            sql(url, "CREATE TABLE kept AS SELECT 7 AS number; SELECT 1")
            kill(server, output)
            assert sql(url, "SELECT number FROM kept") == (7,)


def test_valkey_comes_back_at_its_address(tmp_path):
    with (
        reserve_port() as port,
        supervised(partial(valkey, tmp_path, password="sesame", port=port)) as (server, output),
    ):
        kill(server, output)
        with redis.from_url(server.url) as client:
            assert client.ping()


def test_the_embedded_broker_comes_back_empty_at_its_address(tmp_path):
    with (
        reserve_port() as port,
        supervised(partial(kafka, tmp_path, port=port)) as (server, output),
    ):
        send(server, "patient", b"before")
        kill(server, output)
        send(server, "patient", b"after")
        assert read(server, "patient", 1) == [b"after"]


@pytest.mark.kafka
def test_apache_kafka_comes_back_at_its_address(tmp_path):
    with (
        reserve_port() as port,
        supervised(partial(apache_kafka, tmp_path, port=port)) as (server, output),
    ):
        kill(server, output)
        assert server.address == f"127.0.0.1:{port}"


def test_a_start_that_fails_once_is_tried_again(tmp_path):
    first, run = threading.Event(), partial(valkey, password="sesame")

    def start():
        """Starts a server. The second start finds a file in place of its folder."""
        folder = (
            tmp_path / "second"
            if first.is_set() and not (tmp_path / "third").exists()
            else tmp_path / "any"
        )
        return run(folder)

    with supervised(start) as (server, output):
        write_private_file(tmp_path / "second", "no folder")
        first.set()
        os.kill(server.pid, signal.SIGKILL)
        wait_for(lambda: "it starts again in 0.4 s" in output.getvalue())
        (tmp_path / "third").touch()
        wait_for(lambda: "runs again" in output.getvalue())


def test_a_first_start_that_fails_raises_and_is_not_tried_again(tmp_path):
    run = partial(valkey, tmp_path, password="a\nnonsense yes")
    supervisor = Supervisor("The server", run)
    supervisor.start()
    with pytest.raises(RuntimeError, match="Valkey did not start"):
        supervisor.server()
    supervisor.end()


MOMENTS = {
    "when it was just killed": lambda starts, output: True,
    "in the pause": lambda starts, output: "ended with" in output.getvalue(),
    "while it starts": lambda starts, output: len(starts) == 2,
    "when it runs again": lambda starts, output: "runs again" in output.getvalue(),
}


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)
def test_the_end_may_come_at_any_moment_of_a_restart(tmp_path, moment):
    starts, pids = [], []

    @contextmanager
    def run():
        starts.append("begun")
        with valkey(tmp_path, password="sesame") as server:
            pids.append(server.pid)
            yield server

    with supervised(run) as (server, output):
        os.kill(server.pid, signal.SIGKILL)
        wait_for(lambda: moment(starts, output))
    assert all(map(has_ended, pids))
