"""Blocking: which of all patients are compared with each other, since not every pair can be.

Small groups share a name and a birth, a phone, or a day of birth; their pairs are the candidate
pairs.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import lru_cache
from itertools import combinations, groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.db import connection

from portal.patients.matching.rules import MIN_PHONE_DIGITS, PairIds
from portal.patients.models import LAST_DAY, Patient, Precision, Status
from portal.patients.names.phonetics import phonetic_key
from portal.patients.names.similarity import MIN_TELLING_LETTERS
from portal.patients.normalize import fold

# Patients. Where more agree, the value stands for "not known", a switchboard, or a day that some
# file puts where it knows none; the group is left out.
MAX_GROUP_SIZE, MAX_PER_DAY = 50, 20_000
# Patients: in a larger group each is paired with the oldest record alone, which is the survivor.
MAX_FULLY_PAIRED = 10

_FETCH_SIZE = 1_000  # groups that are fetched at once
_NAME = "name_key"  # The same however a name is parted into family and given name.
_BIRTH = """least(date_of_birth, CASE WHEN extract(day FROM date_of_birth) <= 12 THEN make_date(
    extract(year FROM date_of_birth)::int, extract(day FROM date_of_birth)::int,
    extract(month FROM date_of_birth)::int) END)"""  # The same with day and month exchanged.
_PHONE = "coalesce(nullif(phone_e164, ''), regexp_replace(phone, '[^0-9]', '', 'g'))"
_GROUPS = """
    SELECT (array_agg(id ORDER BY id))[:{most}] FROM patients_patient
    WHERE status = 'active' AND {where} GROUP BY {key} HAVING count(*) > 1 AND {having}
"""
# For each name of a key: the columns that group, which patients have them, and which groups count.
BLOCKING_KEYS = {
    "same name and birth date": (f"{_NAME}, {_BIRTH}", "date_of_birth IS NOT NULL", "true"),
    "same name, birth date known in part": (
        f"{_NAME}, extract(year FROM date_of_birth)",
        "date_of_birth IS NOT NULL",
        "bool_or(date_of_birth_precision <> 'day')",
    ),
    "same phone": (_PHONE, f"length({_PHONE}) >= {MIN_PHONE_DIGITS}", "true"),
}


def find_groups(key: str) -> Iterator[list[UUID]]:
    """Yields the members of each group that shares a blocking key, the oldest first.

    A group that is too large comes with one more member than MAX_GROUP_SIZE. PostgreSQL forms
    the groups, on disk where they are many; they come a few at a time.
    """
    columns, where, having = BLOCKING_KEYS[key]
    statement = _GROUPS.format(key=columns, where=where, having=having, most=MAX_GROUP_SIZE + 1)
    with connection.chunked_cursor() as cursor:
        cursor.execute(statement)
        while rows := cursor.fetchmany(_FETCH_SIZE):
            for (members,) in rows:
                yield _uuids(members)


def _uuids(members: Any) -> list[UUID]:
    """Returns the ids of an array, which psycopg gives as text where the type is not registered."""
    if isinstance(members, str):
        return [UUID(member) for member in members.strip("{}").split(",")]
    return [member if isinstance(member, UUID) else UUID(member) for member in members]


def is_too_large(members: Sequence[UUID]) -> bool:
    """Returns whether so many share the value that it tells nothing."""
    return len(members) > MAX_GROUP_SIZE


def candidate_pairs(members: Sequence[UUID]) -> Iterable[PairIds]:
    """Returns the pairs of a group that are worth comparing; none of a group that is too large."""
    if is_too_large(members):
        return []
    in_order = sorted(members)
    if len(in_order) <= MAX_FULLY_PAIRED:
        return combinations(in_order, 2)
    oldest, *others = in_order
    return [(oldest, other) for other in others]


def people_by_birth_date(*, slice_size: int = MAX_PER_DAY) -> Iterator[list[dict[str, Any]]]:
    """Yields active patients whose day of birth is known, all of one day together.

    A day with more than `slice_size` patients is left out.
    """
    after = date.min
    while rows := _born_after(after, slice_size + 1):
        days = [list(people) for _, people in groupby(rows, itemgetter("date_of_birth"))]
        after = rows[-1]["date_of_birth"]
        if len(rows) > slice_size:
            # The last day may go on past the slice; if it fills the slice, it is too large.
            days.pop()
            after = days[-1][0]["date_of_birth"] if days else after
        yield from days


def _born_after(day: date, limit: int) -> list[dict[str, Any]]:
    patients = Patient.objects.filter(
        status=Status.ACTIVE,
        date_of_birth__gt=day,
        date_of_birth__lte=LAST_DAY,
        date_of_birth_precision=Precision.DAY,
    )
    rows = patients.order_by("date_of_birth").values("pk", "family_name", "date_of_birth")
    return [dict(row) for row in rows[:limit]]


def candidate_pairs_of_day(people: Iterable[dict[str, Any]]) -> list[PairIds]:
    """Returns the pairs of patients of one day of birth whose family names may be similar."""
    groups: defaultdict[str, list[UUID]] = defaultdict(list)
    for person in people:
        for key in family_name_keys(person["family_name"]):
            groups[key].append(person["pk"])
    pairs: set[PairIds] = set()
    for members in groups.values():
        pairs.update(candidate_pairs(members))
    return sorted(pairs)


@lru_cache(maxsize=10_000)
def family_name_keys(name: str) -> tuple[str, ...]:
    """Returns keys of which any two names share one that `compare_names` finds similar.

    They are the name, its longer words, its sound, and the name without each of its letters:
    names that are one slip apart share one of the latter.
    """
    words = fold(name).split()
    joined = "".join(words)
    if not joined:
        return ()
    keys = {joined, *(word for word in words if len(word) >= MIN_TELLING_LETTERS)}
    if sound := phonetic_key(joined):
        keys.add(f"~{sound}")
    if len(joined) >= MIN_TELLING_LETTERS:
        keys |= {joined[:at] + joined[at + 1 :] for at in range(len(joined))}
    return tuple(keys)
