"""Who is worth comparing among all patients: small groups that share a name and a birth, a phone, or a day of birth."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import lru_cache
from itertools import combinations, groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.db import connection

from portal.patients.models import Patient, Precision, Status
from portal.patients.names.phonetics import phonetic_key
from portal.patients.names.similarity import MIN_TELLING_LETTERS
from portal.patients.normalize import fold

Two = tuple[UUID, UUID]

# Where more agree, it is a word for "not known", a switchboard or a day that some file puts where it knows none.
MAX_GROUP_SIZE, MAX_PER_DAY = 50, 20_000
MAX_FULLY_PAIRED = 10  # Of larger groups each is paired with the oldest record alone, into which the others are merged.
_SLICE = 1_000
_NAME = "least(sort_key, given_key)"  # Family and given name exchanged is the same name.
_EXCHANGED = """least(date_of_birth, CASE WHEN extract(day FROM date_of_birth) <= 12 THEN make_date(
    extract(year FROM date_of_birth)::int, extract(day FROM date_of_birth)::int,
    extract(month FROM date_of_birth)::int) END)"""
_DIGITS = "coalesce(nullif(phone_e164, ''), regexp_replace(phone, '[^0-9]', '', 'g'))"
_GROUPS = """
    SELECT (array_agg(id ORDER BY id))[:{most}] FROM patients_patient
    WHERE status = 'active' AND {worth} GROUP BY {key} HAVING count(*) > 1 AND {having}
"""
BLOCKING_KEYS = {
    "same name and birth date": (f"{_NAME}, {_EXCHANGED}", "date_of_birth IS NOT NULL", "true"),
    "same name, birth date known in part": (
        f"{_NAME}, extract(year FROM date_of_birth)",
        "date_of_birth IS NOT NULL",
        "bool_or(date_of_birth_precision <> 'day')",
    ),
    "same phone": (_DIGITS, f"length({_DIGITS}) >= 7", "true"),
}


def find_groups(key: str) -> Iterator[list[UUID]]:
    """The members of every group that shares one of KEYS, the oldest first; of a group too large one more than MOST.

    PostgreSQL forms the groups, on disk where they are many; here they come a few at a time.
    """
    columns, worth, having = BLOCKING_KEYS[key]
    statement = _GROUPS.format(key=columns, worth=worth, having=having, most=MAX_GROUP_SIZE + 1)
    with connection.chunked_cursor() as cursor:
        cursor.execute(statement)
        while rows := cursor.fetchmany(_SLICE):
            for (members,) in rows:
                yield [one if isinstance(one, UUID) else UUID(one) for one in _listed(members)]


def is_too_large(members: Sequence[UUID]) -> bool:
    """Whether so many share it that it tells nothing."""
    return len(members) > MAX_GROUP_SIZE


def candidate_pairs(members: Sequence[UUID]) -> Iterable[Two]:
    """The pairs of a group that are worth comparing, the smaller id first; none of a group that is too large."""
    if is_too_large(members):
        return []
    in_order = sorted(members)
    if len(in_order) <= MAX_FULLY_PAIRED:
        return combinations(in_order, 2)
    return [(in_order[0], other) for other in in_order[1:]]


def people_by_birth_date(*, slice_size: int = MAX_PER_DAY) -> Iterator[list[dict[str, Any]]]:
    """Active patients whose day of birth is known, day by day with all of a day together; of a day too large none."""
    rows: list[dict[str, Any]] = []
    after = date.min
    while rows := _born_after(after, slice_size + 1):
        days = [list(people) for _, people in groupby(rows, itemgetter("date_of_birth"))]
        if len(rows) > slice_size:
            cut = (
                days.pop()
            )  # The last day may go on behind the slice; alone in it, it is too large.
            after = days[-1][0]["date_of_birth"] if days else cut[0]["date_of_birth"]
        else:
            after = rows[-1]["date_of_birth"]
        yield from days


def candidate_pairs_of_day(people: Iterable[dict[str, Any]]) -> Iterator[Two]:
    """The pairs among those of one day whose family names have anything in common by which names may be alike."""
    groups: dict[str, list[UUID]] = defaultdict(list)
    for one in people:
        for key in family_name_keys(one["family_name"]):
            groups[key].append(one["pk"])
    twos = {
        two for members in groups.values() if len(members) > 1 for two in candidate_pairs(members)
    }
    return iter(sorted(twos))


@lru_cache(maxsize=10_000)
def family_name_keys(name: str) -> tuple[str, ...]:
    """Two names that `likeness_of` takes for alike have one of these in common.

    The name, its longer words, its sound, and itself without each of its letters: one slip apart, two share one.
    """
    words = fold(name).split()
    joined = "".join(words)
    if not joined:
        return ()
    keys = {
        joined,
        *(word for word in words if len(word) >= MIN_TELLING_LETTERS),
        f"~{phonetic_key(joined)}",
    } - {"~"}
    if len(joined) >= MIN_TELLING_LETTERS:
        keys |= {joined[:at] + joined[at + 1 :] for at in range(len(joined))}
    return tuple(keys)


def _born_after(day: date, limit: int) -> list[dict[str, Any]]:
    born = Patient.objects.filter(
        status=Status.ACTIVE, date_of_birth__gt=day, date_of_birth_precision=Precision.DAY
    ).order_by("date_of_birth")
    return [dict(row) for row in born.values("pk", "family_name", "date_of_birth")[:limit]]


def _listed(members: Any) -> list[Any]:
    """An array as psycopg gives it: of UUIDs, or as text where the type is not registered."""
    return members.strip("{}").split(",") if isinstance(members, str) else members
