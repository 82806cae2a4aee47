"""The portal's database, with the simulated clock in it."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.core.management import call_command
from django.db import connection, connections

from tests.simulator.clock import PATH, SCHEMA

# A longer wait for a lock is useless: its holder is a thread that stands still until it is resumed.
LOCK_SECONDS = 0.05
PORTAL_TABLES = (
    "patients_patient, patients_patientidentifier, patients_patientevent, patients_eventoutbox,"
    " patients_idempotencykey, billing_billingaccount, events_relaylease, events_quarantinedevent,"
    " events_topicretention, events_topicend, events_topicrefill"
)


@contextmanager
def portal_database() -> Iterator[None]:
    """Makes a migrated database and points `django.db.connection` of every thread to it."""
    name = f"simulated_{secrets.token_hex(6)}"
    run_sql(f'CREATE DATABASE "{name}"')
    try:
        with _default_database(name):
            call_command("migrate", verbosity=0)
            run_sql(SCHEMA)
            run_sql(f'ALTER DATABASE "{name}" SET search_path = {PATH}')
            run_sql(f"ALTER DATABASE \"{name}\" SET lock_timeout = '{LOCK_SECONDS}s'")
            connection.close()  # Sessions from now on have these settings.
            yield
    finally:
        run_sql(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        clients = f"datname = '{name}' AND backend_type = 'client backend'"
        run_sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {clients}")
        run_sql(f'DROP DATABASE "{name}"')  # Waits for the autovacuum; WITH (FORCE) may not end it.
        connection.close()


@contextmanager
def _default_database(name: str) -> Iterator[None]:
    settings = connections.settings["default"]
    home = settings["NAME"]
    connection.close()
    settings["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        settings["NAME"] = home


def run_sql(statement: str, values: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
    """Runs a statement in the portal's database, in the session of the calling thread."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []
