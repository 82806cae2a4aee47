import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from analytics_stream.schema import migrate
from tests.analytics_stream.database import address, execute, new_database, read_figures
from tests.analytics_stream.messages import NOON, make_event


def test_an_empty_database_gets_every_table():
    with new_database(migrated=False) as url:
        assert migrate(url) == "0004"
        assert execute(url, "SELECT count(*) FROM counted_event") == [(0,)]
        assert execute(url, "SELECT occurred_at FROM last_event") == [(None,)]


def test_migrating_again_keeps_what_was_counted(database):
    execute(database, "INSERT INTO figure VALUES ('events', '', 5)")
    migrate(database)
    assert execute(database, "SELECT count FROM figure") == [(5,)]


def test_what_was_counted_before_is_there_by_minute_and_quarter_too(database, store):
    """Red when the migration counts differently from a worker."""
    times = [NOON + timedelta(minutes=minutes) for minutes in (0, 14, 15, 59)]
    store.count(
        [make_event(number, number=number, at=at) for number, at in enumerate(times, start=1)]
    )
    store.count([make_event(5, version=2, status="deleted", at=NOON)])
    before = read_figures(database)
    execute(database, "DELETE FROM figure WHERE name IN ('quarter', 'registered_minute')")
    execute(database, "UPDATE alembic_version SET version_num = '0003'")
    migrate(database)
    assert read_figures(database) == before
    assert before["quarter", "2026-04-05T12:00"] == 3


def test_two_migrations_at_once_both_succeed():
    with new_database(migrated=False) as url, ThreadPoolExecutor(2) as both:
        assert list(both.map(migrate, [url, url])) == ["0004", "0004"]


def test_the_command_prints_the_revision_of_the_database():
    with new_database(migrated=False) as url:
        done = run_migrate({"ANALYTICS_DATABASE_URL": address(url)})
        assert (done.returncode, done.stdout) == (
            0,
            "analytics: the database is at revision 0004\n",
        )


def test_the_command_names_the_variable_of_a_database_that_is_away():
    done = run_migrate(
        {"ANALYTICS_DATABASE_URL": "postgresql://a:secret-word@127.0.0.1:1/analytics"}
    )
    assert done.returncode == 1
    assert "ANALYTICS_DATABASE_URL" in done.stderr
    assert "secret-word" not in done.stderr


def test_the_command_names_a_variable_that_is_missing():
    done = run_migrate({})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("analytics: ANALYTICS_DATABASE_URL is missing")


def run_migrate(environment):
    command = [sys.executable, "-m", "analytics_stream", "migrate"]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
