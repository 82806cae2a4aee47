"""The script of the service `databases` works on a real PostgreSQL."""

import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from embedded.initdb import binary
from embedded.postgres import Postgres, postgres
from tests.compose.files import ROOT, command_of, read_services

SCRIPT = ROOT / "docker" / "postgres" / "databases.sql"
NAMES = ("portal", "billing", "analytics")


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with tempfile.TemporaryDirectory(prefix="portal-test-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)  # As root, PostgreSQL runs under another account and has to pass.
        with postgres(Path(folder) / "data", password="superuser", throw_away=True) as server:
            yield server


def set_up(server: Postgres, password: str) -> None:
    """Runs the command of compose.yaml, with the path that the file has here."""
    psql, *options, file = command_of(read_services()["databases"])
    assert file == "--file=/databases.sql"
    given = {f"{name.upper()}_DATABASE_PASSWORD": f"{name}-{password}" for name in NAMES}
    where = {"PGHOST": str(server.socket_dir), "PGUSER": "postgres", "PGPASSWORD": server.password}
    subprocess.run(
        [binary(psql), *options, f"--file={SCRIPT}"], env=given | where, check=True, cwd=Path("/")
    )


def test_parallel_joins_find_shared_memory():
    """Docker gives 64 MB. Three processes of a reconciliation hash twice their work_mem each."""
    source = (ROOT / "portal" / "reconciliation" / "workspace.py").read_text()
    [work_mem] = re.findall(r"work_mem = '(\d+)MB'", source)
    [megabytes] = re.findall(r"^(\d+)m$", read_services()["postgres"]["shm_size"])
    assert int(megabytes) >= 3 * 2 * int(work_mem)


def may_enter(server: Postgres, role: str, database: str, password: str) -> bool:
    try:
        psycopg2.connect(server.url(database, user=role, password=f"{role}-{password}")).close()
    except psycopg2.OperationalError:
        return False
    return True


def test_each_role_enters_only_its_database_and_a_rerun_renews_passwords(server):
    for password in ("old", "new'er"):
        set_up(server, password)
        entered = {
            (role, name)
            for role in NAMES
            for name in NAMES
            if may_enter(server, role, name, password)
        }
        assert entered == {(name, name) for name in NAMES}
    assert not may_enter(server, "portal", "portal", "old")


def test_a_role_owns_its_database_and_may_make_tables_there(server):
    set_up(server, "old")
    with psycopg2.connect(
        server.url("billing", user="billing", password="billing-old")
    ) as connection:
        connection.cursor().execute("CREATE TABLE accounts (id int)")
        connection.rollback()


def test_the_script_is_the_one_that_compose_mounts():
    assert read_services()["databases"]["volumes"] == [
        "./docker/postgres/databases.sql:/databases.sql:ro"
    ]
    assert SCRIPT.exists()
