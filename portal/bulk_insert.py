"""Inserts many rows in one statement, without an object for each row and each value as the ORM."""

import json
from collections.abc import Sequence
from typing import Any, cast

from django.db import connection
from django.db.models import Field, ForeignKey, JSONField, Model, UUIDField


def insert_rows(model: type[Model], columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Inserts the rows in their order; each has a value for each of these fields of the model.

    The database fills the other columns, and its triggers and checks see every row.
    """
    if not rows:
        return
    names, constants, arrays = [], [], []
    selected, unnested = [], []
    for column, values in zip(columns, zip(*rows, strict=True), strict=True):
        field = cast("Field[Any, Any]", model._meta.get_field(column))
        name, kind = f'"{field.column}"', _type_of(field)
        names.append(name)
        # A column that has one value in all rows, mostly none, is sent once.
        if values.count(values[0]) == len(values):
            selected.append(f"%s::{kind}")
            constants.append(_adapted(field, values[:1])[0])
        else:
            selected.append(f"new.{name}")
            unnested.append((name, f"%s::{kind}[]"))
            arrays.append(_adapted(field, values))
    if not arrays:
        unnested, arrays = [("number", "%s::int[]")], [list(range(len(rows)))]
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{model._meta.db_table}" ({", ".join(names)}) '  # noqa: S608 - Names.
            f"SELECT {', '.join(selected)} FROM unnest({', '.join(place for _, place in unnested)})"
            f" AS new ({', '.join(name for name, _ in unnested)})",
            [*constants, *arrays],
        )


def _type_of(field: "Field[Any, Any]") -> str:
    """Returns the type without its length: a cast to that would cut a text off without a word."""
    return (field.db_type(connection) or "").partition("(")[0]


def _adapted(field: "Field[Any, Any]", values: Sequence[Any]) -> list[Any]:
    """Returns the values as the driver takes them; psycopg adapts a UUID slowly."""
    target = field.target_field if isinstance(field, ForeignKey) else field
    if isinstance(target, UUIDField):
        return [value if value is None else str(value) for value in values]
    if isinstance(field, JSONField):
        return [json.dumps(value) for value in values]
    return list(values)
