"""Writes dates that the database refuses today, as an older one has them."""

from contextlib import contextmanager

from django.db import connection


@contextmanager
def without_checks():
    """Takes the checks of dates away, as in a database that is older than they are."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)"
            " FROM pg_constraint WHERE conname ~ '(_possible|_after_1850|_after_birth)$'"
        )
        checks = cursor.fetchall()
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # Else the tables are in use.
        for table, name, _ in checks:
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        yield
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table, name, definition in checks:
            definition = definition.removesuffix(" NOT VALID")
            cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition} NOT VALID")


def write_past_the_checks(patient, **days):
    assignments = ", ".join(f"{column} = %s" for column in days)
    with without_checks(), connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE patients_patient SET {assignments} WHERE id = %s",
            [*days.values(), patient.pk],
        )
