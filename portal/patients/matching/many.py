"""Who of many new people may be here already: a few questions for all of them at once, none for each."""

from collections.abc import Collection, Iterator, Sequence
from datetime import date
from typing import Any

from django.db import connection

from portal.patients.matching.crowd import Crowd, folded, may_be_alike
from portal.patients.matching.duplicates import Facts
from portal.patients.matching.facts import COLUMNS
from portal.patients.matching.similar import MOST_OF_A_DAY, MOST_OF_A_NAME, MOST_OF_A_PHONE
from portal.patients.models import Precision
from portal.patients.words import phone_tail

_READ = ("id", *COLUMNS)
# Each finds a bounded number of patients for each thing asked for, by index, however many share it.
_FOUND = f"SELECT {', '.join(_READ)} FROM patients_patient WHERE status = 'active'"  # noqa: S608 - words of ours
_BORN = f"""
    SELECT day, array_agg(found.id::text), array_agg(family_name) FROM unnest(%s::date[]) AS asked (day)
    CROSS JOIN LATERAL (
        SELECT id, family_name FROM patients_patient WHERE status = 'active' AND date_of_birth = day
        LIMIT {MOST_OF_A_DAY + 1}
    ) AS found GROUP BY day
"""  # noqa: S608 - words of ours
_THEMSELVES = f"{_FOUND} AND id = ANY(%s::uuid[])"
_NAMED = f"""
    SELECT found.* FROM unnest(%s::text[], %s::date[], %s::date[]) AS asked (name, first, last)
    CROSS JOIN LATERAL (
        {_FOUND} AND sort_key = name AND date_of_birth BETWEEN first AND last LIMIT {MOST_OF_A_NAME}
    ) AS found
"""  # noqa: S608 - words of ours
_CALLED = f"""
    SELECT found.* FROM unnest(%s::text[]) AS asked (tail)
    CROSS JOIN LATERAL (
        {_FOUND} AND phone_tail >= tail AND phone_tail < tail || ':' LIMIT {MOST_OF_A_PHONE}
    ) AS found
"""  # noqa: S608 - words of ours
_OF_A_FAMILY = f"""
    SELECT found.* FROM unnest(%s::date[], %s::text[]) AS asked (day, family)
    CROSS JOIN LATERAL (
        {_FOUND} AND date_of_birth = day AND sort_key >= family || ' ' AND sort_key < family || '!'
        LIMIT {MOST_OF_A_NAME}
    ) AS found
"""  # noqa: S608 - words of ours


def crowd_near(people: Sequence[Facts]) -> Crowd:
    """Every active patient who may surely or probably be one of these people, and others beside them.

    Bounded: of a birth date that thousands share, 400 and those of the same family names are among them.
    """
    crowd = Crowd()
    for row in (*_of_same_names(people), *_of_same_phones(people)):
        crowd.add(row["id"], row)
    for row in _of_same_days(people):
        crowd.add_born(row["id"], row)
    return crowd


def _of_same_names(people: Sequence[Facts]) -> Iterator[dict[str, Any]]:
    """Also both names exchanged. Whatever the rules allow to differ of the birth, it is of the same year."""
    asked = {
        (" ".join(names), one.born.replace(month=1, day=1), one.born.replace(month=12, day=31))
        for one in people
        if one.born
        for names in ([*one.family.split(), *one.given.split()], [*one.given.split(), *one.family.split()])
    }
    yield from _ask(_NAMED, sorted(asked))


def _of_same_phones(people: Sequence[Facts]) -> Iterator[dict[str, Any]]:
    yield from _ask(_CALLED, [(tail,) for tail in sorted({phone_tail(one.phone) for one in people if one.phone})])


def _of_same_days(people: Sequence[Facts]) -> Iterator[dict[str, Any]]:
    """Only a birth date known to the day may be the same day.

    Among a million people thirty share each day: of them come the names alone, as arrays, and whole rows of the few
    whose family names are worth comparing.
    """
    families: dict[date, set[str]] = {}
    for one in people:
        if one.born and one.precision == Precision.DAY:
            families.setdefault(one.born, set()).add(one.family)
    wanted, crowded = [], []
    for day, ids, names in _rows(_BORN, [sorted(families)]) if families else ():
        wanted += [one for one, name in zip(ids, names, strict=True) if _is_worth_it(folded(name), families[day])]
        crowded += [(day, family) for family in families[day] if len(ids) > MOST_OF_A_DAY]
    yield from _ask(_THEMSELVES, [(one,) for one in wanted])
    yield from _ask(_OF_A_FAMILY, sorted(crowded))


def _is_worth_it(name: str, families: set[str]) -> bool:
    return any(may_be_alike(name, family) for family in families)


def _ask(question: str, asked: Collection[tuple[Any, ...]]) -> Iterator[dict[str, Any]]:
    if asked:
        for row in _rows(question, [list(column) for column in zip(*asked, strict=True)]):
            yield dict(zip(_READ, row, strict=True))


def _rows(question: str, columns: list[list[Any]]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(question, columns)
        return cursor.fetchall()
