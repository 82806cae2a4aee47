"""A PostgreSQL of its own, full of patients whose names are as common and as rare as real ones."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django
import psutil

from tests.bench.filling import fill_patients, triggers_off
from tests.servers import required_variables, run_databases

FILLED = ("patients_patient", "patients_patientidentifier")


@contextmanager
def filled_portal(count: int) -> Iterator[Path]:
    """Sets Django up on `count` patients, and yields a folder. Prints the load of the machine."""
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as folder:
        data = Path(folder)
        data.chmod(0o711)  # As root, PostgreSQL runs under another account and has to pass.
        with run_databases(data / "postgres") as urls:
            environment = {"DJANGO_SETTINGS_MODULE": "portal.settings", "LOG_LEVEL": "ERROR"}
            os.environ.update({**required_variables(data), **urls, **environment})
            django.setup()
            _fill(count)
            load, _, _ = psutil.getloadavg()
            print(
                f"{psutil.cpu_count()} cores with a load of {load:.1f}, {count:,} patients\n",
                flush=True,
            )
            yield data


@contextmanager
def without_triggers() -> Iterator[Any]:
    """Yields a cursor for changes of many patients, without log, vocabulary and outbox."""
    from django.db import connection

    with connection.cursor() as cursor:
        with triggers_off(cursor, FILLED):
            yield cursor
        cursor.execute("VACUUM ANALYZE")


def _fill(count: int) -> None:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    with without_triggers() as cursor:
        fill_patients(cursor, count)


def database_seconds() -> float:
    """Returns the processor time of our PostgreSQL process so far."""
    from django.db import connection

    connection.ensure_connection()
    statistics = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat").read_text()
    return int(statistics.split()[0]) / 1e9
