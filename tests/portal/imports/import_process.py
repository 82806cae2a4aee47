"""An import in a process of its own, through a real door, and the moments at which it can be killed."""

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
    "import django, sys; django.setup(); from portal.imports import tasks; tasks.run_import(sys.argv[1])",
)
# In small batches, so that there are more of them than kills.
UNDOING = (
    "-c",
    "import django, sys; django.setup(); from django.core.management import call_command;"
    " from portal.imports.pipeline import undo; undo.BATCH = 20;"
    " call_command('import_patients', '--json', *sys.argv[1:])",
)
# Each of them is written in every batch, in this order; undoing refuses no rows.
TABLES = (
    "patients_patient", "patients_patientevent", "patients_eventoutbox", "patients_patientidentifier",
    "billing_billingaccount", "imports_importedrow", "imports_importreject", "imports_importjob",
)  # fmt: skip


def database_url() -> str:
    """The test's own database."""
    return (
        urlsplit(os.environ["DATABASE_URL"])
        ._replace(path=f"/{connection.settings_dict['NAME']}")
        .geturl()
    )


@dataclass
class Ended:
    code: int
    out: str
    words: str

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
        ours = {"DATABASE_URL": self.url, "PORTAL_DATA_DIR": str(self.folder / "data")}
        ours |= {"DJANGO_SETTINGS_MODULE": "portal.settings", "PYTHONPATH": str(ROOT)}
        command, pipe = [sys.executable, *self.arguments], subprocess.PIPE
        return subprocess.Popen(
            command, env=os.environ | ours, cwd=self.folder, text=True, stdout=pipe, stderr=pipe
        )

    def run(self) -> Ended:
        """To its own end."""
        with self.start() as process:
            out, words = process.communicate(timeout=240)
        return Ended(process.returncode, out, words)


def kill(process: subprocess.Popen[str]) -> None:
    """With -9, and nothing that it had to say is heard."""
    process.kill()
    process.communicate()


@contextmanager
def hanging(
    process: subprocess.Popen[str], *, at: str, url: str, enough: Callable[[], bool]
) -> Iterator[bool]:
    """The process has done enough and hangs in a transaction that is about to write to `at`; False if it ended before.

    Until then it is let go from one such write to the next, so that it cannot run ahead of a slow test.
    """
    with closing(psycopg2.connect(url)) as session, session.cursor() as cursor:

        def hangs() -> bool:
            cursor.execute(
                "SELECT count(*) FROM pg_locks JOIN pg_database ON database = pg_database.oid"
                " WHERE NOT granted AND datname = current_database() AND relation = %s::regclass",
                [at],
            )
            return cursor.fetchone()[0] > 0

        while True:
            cursor.execute(f"LOCK TABLE {at} IN SHARE MODE")
            wait_for(lambda: hangs() or process.poll() is not None, seconds=240)
            if process.poll() is not None or enough():
                break
            session.rollback()  # Who waits has the lock at once, and the next one stands behind us.
        yield process.poll() is None
