"""Writes one patient's row by statements that PostgreSQL plans once, without the ORM's work."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone
from uuid_utils.compat import uuid7

from portal.patients.fields import ENTERED
from portal.patients.models import Patient
from portal.prepared import execute_prepared, write_prepared

WRITTEN = (*ENTERED, "phone_e164")  # The columns that a change writes.
INSERTED = ("id", *WRITTEN, "source")  # The database fills the others.
WRITTEN_COLUMNS = frozenset(WRITTEN)
STORED = tuple(field.attname for field in Patient._meta.concrete_fields)


def new_columns(details: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Returns the columns of a new patient, registered today unless a day is given.

    The day is that of the clinic's clock: the database's default would be the day in UTC.
    """
    columns = {"id": uuid7(), **column_values(details), "source": source}
    if "registered_on" not in columns:
        columns["registered_on"] = timezone.localdate()
    return columns


def column_values(details: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what goes into the patient's row; a patient always has a day of registration."""
    return {
        name: value
        for name, value in details.items()
        if name != "identifiers" and not (name == "registered_on" and value is None)
    }


def insert_patient(values: Mapping[str, Any]) -> Patient:
    """Returns the new patient as it is stored; a column that is not given gets its default."""
    [stored] = write_prepared("insert_patient", _insert, inserted_values(values))
    return patient_of(stored)


def inserted_values(values: Mapping[str, Any]) -> list[Any]:
    """Returns the values of INSERTED; a column that is not given gets its default."""
    row = {**_defaults(), **values}
    return [row[name] for name in INSERTED]


def lock_row(patient_id: UUID) -> Patient | None:
    """Returns the patient, whom no other transaction changes until this one ends."""
    rows = execute_prepared("lock_patient", _lock, [patient_id])
    return patient_of(rows[0]) if rows else None


def update_row(patient: Patient) -> None:
    """Writes the columns of a locked patient, and takes over what the triggers made of the row."""
    values = [getattr(patient, name) for name in WRITTEN]
    [stored] = write_prepared("update_patient", _update, [patient.pk, *values])
    for name, value in zip(STORED, stored, strict=True):
        setattr(patient, name, value)


def patient_of(stored: Sequence[Any]) -> Patient:
    return Patient.from_db(connection.alias, STORED, stored)


@cache
def _defaults() -> Mapping[str, Any]:
    blank = Patient()
    return {name: getattr(blank, name) for name in INSERTED}


def _insert() -> str:
    places = ", ".join(f"${place}" for place in range(1, len(INSERTED) + 1))
    return (
        f"({', '.join(types_of(INSERTED))}) AS "  # noqa: S608 - constants
        f"INSERT INTO patients_patient ({', '.join(INSERTED)}) "
        f"VALUES ({places}) RETURNING {', '.join(STORED)}"
    )


def _lock() -> str:
    stored = ", ".join(STORED)
    return f"(uuid) AS SELECT {stored} FROM patients_patient WHERE id = $1 FOR UPDATE"  # noqa: S608 - constants


def _update() -> str:
    places = ", ".join(f"{name} = ${place}" for place, name in enumerate(WRITTEN, start=2))
    types = ", ".join(types_of(("id", *WRITTEN)))
    return f"""
        ({types}) AS
        UPDATE patients_patient SET {places} WHERE id = $1 RETURNING {", ".join(STORED)}
    """  # noqa: S608 - constants


def types_of(names: Iterable[str]) -> list[str]:
    """Returns the types without the length of a text: a cast to that would cut a text off."""
    types = [Patient._meta.get_field(name).db_type(connection) or "" for name in names]
    return [kind.partition("(")[0] for kind in types]
