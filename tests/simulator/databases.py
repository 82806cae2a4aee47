"""A database of each kind, reached through the product's own code, with the simulated clock in the portal's."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.core.management import call_command
from django.db import connection, connections

from tests.simulator.clock import PATH, SCHEMA

LOCK_SECONDS = 0.05  # Nobody waits for a lock here: its holder is a thread that stands still until we let it go on.
OURS = (
    "patients_patient, patients_patientidentifier, patients_patientevent, patients_eventoutbox,"
    " patients_idempotencykey, billing_billingaccount, events_relaylease, events_quarantinedevent,"
    " events_topicend, events_topicrefill"
)


@contextmanager
def portal_database() -> Iterator[None]:
    """A migrated database, which `django.db.connection` of every thread leads to meanwhile."""
    name = f"simulated_{secrets.token_hex(6)}"
    tell(f'CREATE DATABASE "{name}"')
    try:
        with _elsewhere(name):
            call_command("migrate", verbosity=0)
            tell(SCHEMA)
            tell(f'ALTER DATABASE "{name}" SET search_path = {PATH}')
            tell(f"ALTER DATABASE \"{name}\" SET lock_timeout = '{LOCK_SECONDS}s'")
            connection.close()  # Sessions from now on have these settings.
            yield
    finally:
        tell(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        clients = f"datname = '{name}' AND backend_type = 'client backend'"
        tell(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {clients}")
        tell(f'DROP DATABASE "{name}"')  # Waits for the autovacuum; WITH (FORCE) may not end it.
        connection.close()


@contextmanager
def _elsewhere(name: str) -> Iterator[None]:
    settings = connections.settings["default"]
    home = settings["NAME"]
    connection.close()
    settings["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        settings["NAME"] = home


def tell(statement: str, values: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
    """Run it in the portal's database, by the caller's own session."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []
