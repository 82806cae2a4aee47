"""An import in a process of its own, and the moments at which it can be killed."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
from django.db import connection

from tests.waits import wait_for

ROOT = Path(__file__).resolve().parents[3]
COMMAND = (str(ROOT / "manage.py"), "import_patients", "--json")
WORKER = (
    "-c",
    "import django, sys; django.setup(); from portal.imports import tasks;"
    " tasks.run_import(sys.argv[1])",
)
# Small batches, so that there are more of them than kills.
UNDO = (
    "-c",
    "import django, sys; django.setup(); from django.core.management import call_command;"
    " from portal.imports.pipeline import undo; undo.BATCH = 20;"
    " call_command('import_patients', '--json', *sys.argv[1:])",
)
# Every batch writes each of them, in this order; an undo refuses no rows.
TABLES = (
    "patients_patient",
    "patients_patientevent",
    "patients_eventoutbox",
    "patients_patientidentifier",
    "billing_billingaccount",
    "imports_importedrow",
    "imports_importreject",
    "imports_importjob",
)


def database_url() -> str:
    """Returns the URL of the test's own database."""
    url = urlsplit(os.environ["DATABASE_URL"])
    return url._replace(path=f"/{connection.settings_dict['NAME']}").geturl()


@dataclass
class ProcessResult:
    """The exit code and the output of a process that has ended."""

    code: int
    out: str
    err: str

    @property
    def report(self) -> dict:
        return json.loads(self.out)


@dataclass
class ImportProcess:
    """Python with these arguments in this folder, to be started again and again."""

    folder: Path
    arguments: tuple[str, ...]
    url: str = field(default_factory=database_url)

    def start(self) -> subprocess.Popen[str]:
        environment = os.environ | {
            "DATABASE_URL": self.url,
            "PORTAL_DATA_DIR": str(self.folder / "data"),
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "PYTHONPATH": str(ROOT),
        }
        return subprocess.Popen(
            [sys.executable, *self.arguments],
            env=environment,
            cwd=self.folder,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self) -> ProcessResult:
        """Runs the process to its end."""
        with self.start() as process:
            out, err = process.communicate(timeout=240)
        return ProcessResult(process.returncode, out, err)


def kill(process: subprocess.Popen[str]) -> None:
    """Kills the process with -9 and drops its output."""
    process.kill()
    process.communicate()


@contextmanager
def blocked_process(
    process: subprocess.Popen[str], *, table: str, url: str, has_done_enough: Callable[[], bool]
) -> Iterator[bool]:
    """Blocks the process in a transaction that is about to write to `table`, once it did enough.

    Yields False if it ended before. Until then it may go from one such write to the next, so that
    it cannot run ahead of a slow test.
    """
    with closing(psycopg2.connect(url)) as session, session.cursor() as cursor:

        def is_blocked() -> bool:
            cursor.execute(
                "SELECT count(*) FROM pg_locks JOIN pg_database ON database = pg_database.oid"
                " WHERE NOT granted AND datname = current_database() AND relation = %s::regclass",
                [table],
            )
            return cursor.fetchone()[0] > 0

        while True:
            cursor.execute(f"LOCK TABLE {table} IN SHARE MODE")
            wait_for(lambda: is_blocked() or process.poll() is not None, seconds=240)
            if process.poll() is not None or has_done_enough():
                break
            # The process gets its lock at once, and waits again at its next write.
            session.rollback()
        yield process.poll() is None
