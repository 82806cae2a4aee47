"""PostgreSQL starts, keeps its data, demands passwords and recovers."""

import os
import signal
import stat
from contextlib import ExitStack, contextmanager

import psycopg2
import pytest
from psycopg2 import extensions

from embedded.postgres import postgres
from tests.waits import wait_for


@pytest.fixture
def data(short_tmp_path):
    return short_tmp_path / "postgres"


def value(url, query):
    connection = psycopg2.connect(url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchone()[0]
    finally:
        connection.close()


def test_it_is_postgresql_18():
    assert value(os.environ["DATABASE_URL"], "SHOW server_version_num").startswith("18")


def test_a_role_cannot_enter_the_database_of_another():
    url = os.environ["BILLING_DATABASE_URL"].replace("@/billing?", "@/portal?")
    with pytest.raises(psycopg2.OperationalError, match="permission denied"):
        psycopg2.connect(url)


def test_nobody_enters_without_the_password():
    server, _, place = os.environ["DATABASE_URL"].partition("@")
    for user in ("portal", "postgres"):
        with pytest.raises(psycopg2.OperationalError, match="password"):
            psycopg2.connect(f"{server.split('://')[0]}://{user}:wrong@{place}")


def test_what_was_stored_is_there_after_a_restart(data):
    with postgres(data, password="first", throw_away=True) as server:
        url = server.give_database("clinic", user="clerk", password="it's 100% odd/@:")
        value(url, "CREATE TABLE kept AS SELECT 7 AS number; SELECT 1")
    with postgres(data, password="first", throw_away=True) as server:
        url = server.give_database("clinic", user="clerk", password="another")
        assert value(url, "SELECT number FROM kept") == 7


def test_the_data_is_for_its_owner_alone(data):
    with postgres(data, password="first", throw_away=True):
        assert stat.S_IMODE(data.stat().st_mode) == 0o700


def test_a_set_up_that_was_cut_short_is_begun_anew(data):
    (data.with_name("postgres.new") / "base").mkdir(parents=True)
    with postgres(data, password="first", throw_away=True) as server:
        assert value(server.url("postgres"), "SELECT 1") == 1


def test_a_killed_server_comes_back_with_what_was_committed(data):
    with ExitStack() as sessions:
        with postgres(data, password="first", throw_away=True) as server:
            url = server.give_database("clinic", user="clerk", password="secret")
            value(url, "CREATE TABLE kept AS SELECT 7 AS number; SELECT 1")
            sessions.enter_context(busy(url))
            os.kill(server.pid, signal.SIGKILL)
        with postgres(data, password="first", throw_away=True):
            assert value(url, "SELECT number FROM kept") == 7


@contextmanager
def busy(url):
    """Holds a session that works on when its server is killed, and keeps the server's memory."""
    connection = psycopg2.connect(url, async_=True)
    wait_for(lambda: connection.poll() == extensions.POLL_OK)
    connection.cursor().execute("SELECT count(*) FROM generate_series(1, 1000000000)")
    yield
    connection.close()


def test_a_long_path_gets_a_short_socket(short_tmp_path):
    data = short_tmp_path / ("deep" * 25) / "postgres"
    with postgres(data, password="first", throw_away=True) as server:
        assert value(server.url("postgres"), "SELECT 1") == 1
        assert server.socket_dir != data
    assert not server.socket_dir.exists()


def test_the_log_does_not_repeat_what_is_in_a_row(data):
    with postgres(data, password="first", throw_away=True) as server:
        url = server.url("postgres")
        with pytest.raises(psycopg2.Error):
            value(
                url,
                "CREATE TABLE p (n text UNIQUE);"
                "INSERT INTO p VALUES ('Jane Smith'), ('Jane Smith')",
            )
    log = data.with_name("postgres.log").read_text()
    assert "duplicate key" in log
    assert "Jane" not in log


def test_a_start_that_fails_says_why(data):
    with postgres(data, password="first", throw_away=True):
        pass
    (data / "postgresql.conf").write_text("max_connections = nonsense\n")
    with pytest.raises(RuntimeError, match="max_connections"), postgres(data, password="first"):
        pass
