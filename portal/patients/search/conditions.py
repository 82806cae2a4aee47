"""Conditions of a search as SQL: written down once, and not built anew by the ORM for each request.

They speak of a row of `patients_patient`. What a user types is always a value, never SQL.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db import connection
from django.db.models import BooleanField, QuerySet
from django.db.models.expressions import RawSQL

from portal.patients.models import Patient

LAST_CHARACTER = "\U0010ffff"  # sorts after every other character
END_OF_WORD = "!"  # sorts after a space and before every letter


@dataclass(frozen=True)
class Condition:
    """SQL with a placeholder for each value."""

    sql: str
    values: tuple[Any, ...] = ()

    def __and__(self, other: "Condition") -> "Condition":
        return Condition(f"{self.sql} AND {other.sql}", self.values + other.values)

    def __or__(self, other: "Condition") -> "Condition":
        return Condition(f"({self.sql} OR {other.sql})", self.values + other.values)

    @property
    def opposite(self) -> "Condition":
        """The condition that this one is false or unknown."""
        return Condition(f"({self.sql}) IS NOT TRUE", self.values)

    @property
    def expression(self) -> RawSQL:
        """The condition for a query of the ORM."""
        return RawSQL(self.sql, self.values, output_field=BooleanField())  # noqa: S611 - values


ALWAYS, NEVER = Condition("true"), Condition("false")


def any_of(conditions: Iterable[Condition]) -> Condition:
    return reduce(or_, conditions)


def all_of(conditions: Iterable[Condition]) -> Condition:
    return reduce(and_, conditions, ALWAYS)


def prefix_range(column: str, prefix: str, *, is_whole: bool = False) -> Condition:
    """Returns the condition that the column begins so, as a range that an index on it can find.

    With `is_whole`, the last word of the prefix has to end there. An expression needs an index of
    its own, and collation "C".
    """
    end = prefix + (END_OF_WORD if is_whole else LAST_CHARACTER)
    return Condition(f"({column} >= %s AND {column} < %s)", (prefix, end))


def has_words(query: str) -> Condition:
    """Returns the condition that the name has the words of a `word_query`."""
    return Condition("name_words @@ to_tsquery('simple', %s)", (query,))


def is_among(patient_ids: Collection[UUID]) -> Condition:
    return Condition("patients_patient.id = ANY(%s::uuid[])", ([*patient_ids],))


def is_none_of(patient_ids: Collection[UUID]) -> Condition:
    if not patient_ids:
        return ALWAYS
    return Condition("patients_patient.id <> ALL(%s::uuid[])", ([*patient_ids],))


def condition_of(patients: QuerySet[Patient, Any]) -> Condition:
    """Returns the condition of the rows of a query."""
    query = patients.query
    if len(query.alias_map) > 1 or query.is_sliced:
        sql, values = patients.order_by().values("pk").query.sql_with_params()
        return Condition(f"patients_patient.id IN ({sql})", tuple(values))
    try:
        sql, values = query.get_compiler(connection=connection).compile(query.where)
    except EmptyResultSet:
        return NEVER
    except FullResultSet:
        return ALWAYS
    return Condition(f"({sql})" if sql else ALWAYS.sql, tuple(values))


def read_rows(sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()
