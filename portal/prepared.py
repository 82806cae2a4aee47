"""Statements that PostgreSQL parses and plans once for each connection, for the busiest routes.

psycopg sends a statement anew each time, and Django asks an idle connection whether it lives before
each request. Here a connection that has died is seen by the statement itself, which runs once more.
"""

from collections.abc import Callable, Sequence
from typing import Any

from django.db import InterfaceError, OperationalError, connection

_PREPARED = "portal_prepared"  # An attribute of the connection: who it is, and its statements.


def execute_prepared(
    name: str, statement: Callable[[], str], values: Sequence[Any]
) -> list[tuple[Any, ...]]:
    """Returns the rows of a statement that may run twice without harm.

    `statement` gives what follows PREPARE and the name: `(uuid) AS SELECT … $1`.
    """
    if connection.in_atomic_block:
        return _execute(name, statement, values)
    try:
        return _execute(name, statement, values)
    except (OperationalError, InterfaceError):
        if not connection.connection or not connection.connection.closed:
            raise
        connection.close()
        return _execute(name, statement, values)


def _execute(
    name: str, statement: Callable[[], str], values: Sequence[Any]
) -> list[tuple[Any, ...]]:
    connection.ensure_connection()
    raw = connection.connection
    with connection.wrap_database_errors, raw.cursor() as cursor:
        prepared = _names_on(raw)
        if name not in prepared:
            cursor.execute(f"PREPARE {name} {statement()}")
            prepared.add(name)
        places = ", ".join(["%s"] * len(values))
        cursor.execute(f"EXECUTE {name} ({places})" if values else f"EXECUTE {name}", values)
        return cursor.fetchall()


def _names_on(raw: Any) -> set[str]:
    """Returns what is prepared on this connection of the driver; a new one begins with nothing."""
    owner, names = getattr(connection, _PREPARED, (None, set[str]()))
    if owner is not raw:
        names = set[str]()
        setattr(connection, _PREPARED, (raw, names))
    return names
