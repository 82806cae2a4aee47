"""Statements that PostgreSQL parses and plans once for each connection, for the busiest routes.

psycopg sends a statement anew each time, and Django asks an idle connection whether it lives before
each request. Here a connection that has died is seen by the statement itself, which runs once more.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from django.db import InterfaceError, OperationalError, connection

_PREPARED = "portal_prepared"  # An attribute of the connection: who it is, and its statements.
Row = tuple[Any, ...]


# For a transaction whose prepared statements have one plan for all values. PostgreSQL takes their
# rows for many then: it would compile the plan, and start processes to read what is two rows.
PLANNED_ONCE = """
    SET LOCAL plan_cache_mode = force_generic_plan;
    SET LOCAL jit = off;
    SET LOCAL max_parallel_workers_per_gather = 0;
"""


class Call(NamedTuple):
    """A prepared statement and its values. `statement` gives what follows PREPARE and the name."""

    name: str
    statement: Callable[[], str]
    values: Sequence[Any]


def execute_prepared(
    name: str, statement: Callable[[], str], values: Sequence[Any], *, is_planned_once: bool = False
) -> list[Row]:
    """Returns the rows of a statement that may run twice without harm.

    `statement` gives what follows PREPARE and the name: `(uuid) AS SELECT … $1`. With
    `is_planned_once`, the same plan serves all values.
    """
    if connection.in_atomic_block:
        return _execute(name, statement, values)
    settings = PLANNED_ONCE if is_planned_once else ""
    try:
        return _execute(name, statement, values, settings)
    except (OperationalError, InterfaceError):
        if not connection.connection or not connection.connection.closed:
            raise
        connection.close()
        return _execute(name, statement, values, settings)


def read_together(calls: Sequence[Call]) -> list[Row]:
    """Does the same for several statements in one message; returns the rows of the last.

    Each sees what was committed when it begins. The same plans serve all values.
    """
    settings = "" if connection.in_atomic_block else PLANNED_ONCE
    try:
        return _execute_together(calls, settings)
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block or not connection.connection:
            raise
        if not connection.connection.closed:
            raise
        connection.close()
        return _execute_together(calls, settings)


def _execute_together(calls: Sequence[Call], settings: str) -> list[Row]:
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.cursor() as cursor:
        for name, statement, _ in calls:
            _prepare(cursor, name, statement)
        message = "; ".join(execution_of(name, values) for name, _, values in calls)
        cursor.execute(settings + message, [value for call in calls for value in call.values])
        return cursor.fetchall()


def write_prepared(name: str, statement: Callable[[], str], values: Sequence[Any]) -> list[Row]:
    """Does the same in a transaction, once, for a statement whose changes the log is to explain.

    Django's cursor tells the database who makes the change.
    """
    return write_together([Call(name, statement, values)])


def write_together(calls: Sequence[Call]) -> list[Row]:
    """Does the same for several statements in one message; returns the rows of the last.

    Outside of a transaction they are one of their own: PostgreSQL commits once all have run, before
    it says that they have (the simple query protocol, "Multiple Statements in a Simple Query").
    """
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.cursor() as raw:
        for name, statement, _ in calls:
            _prepare(raw, name, statement)
    message = "; ".join(execution_of(name, values) for name, _, values in calls)
    with connection.cursor() as cursor:
        cursor.execute(message, [value for call in calls for value in call.values])
        return cursor.fetchall() if cursor.description else []


def _execute(
    name: str, statement: Callable[[], str], values: Sequence[Any], settings: str = ""
) -> list[Row]:
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.cursor() as cursor:
        _prepare(cursor, name, statement)
        cursor.execute(settings + execution_of(name, values), values)
        return cursor.fetchall()


def _prepare(cursor: Any, name: str, statement: Callable[[], str]) -> None:
    prepared = _names_on(cursor.connection)
    if name not in prepared:
        cursor.execute(f"PREPARE {name} {statement()}")
        prepared.add(name)


def execution_of(name: str, values: Sequence[Any]) -> str:
    """Returns the call of a prepared statement, with a place for each value."""
    places = ", ".join(["%s"] * len(values))
    return f"EXECUTE {name} ({places})" if values else f"EXECUTE {name}"


def _names_on(raw: Any) -> set[str]:
    """Returns what is prepared on this connection of the driver; a new one begins with nothing."""
    owner, names = getattr(connection, _PREPARED, (None, set[str]()))
    if owner is not raw:
        names = set[str]()
        setattr(connection, _PREPARED, (raw, names))
    return names
