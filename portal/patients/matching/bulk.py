"""An in-memory index of known people, to match many new people at once, as an import does."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from portal.patients.matching.lookup import MAX_PER_BIRTH_DATE, MAX_PER_NAME, MAX_PER_PHONE
from portal.patients.matching.names_of_a_day import may_be_similar, names_worth_comparing
from portal.patients.matching.rules import (
    COMPARED_COLUMNS,
    ComparedFields,
    Match,
    cached_fold,
    compared_fields,
    grade_match,
    phone_digits,
)
from portal.patients.models import Precision
from portal.patients.normalize import name_key, phone_tail, second_number
from portal.stored_dates import known_date

_COLUMNS = ("id", *COMPARED_COLUMNS)
# Each query finds, by index, a bounded number of patients for each value that is asked for.
_ACTIVE_PATIENTS = f"""
    SELECT {", ".join(_COLUMNS)} FROM patients_patient WHERE status = 'active'
"""  # noqa: S608 - column names are constants
_BY_NAME = f"""
    SELECT found.* FROM unnest(%s::text[], %s::date[], %s::date[]) AS wanted (name, first, last)
    CROSS JOIN LATERAL (
        {_ACTIVE_PATIENTS} AND name_key = name AND date_of_birth BETWEEN first AND last
        LIMIT {MAX_PER_NAME}
    ) AS found
"""  # noqa: S608 - built from constants
_BY_PHONE = f"""
    SELECT found.* FROM unnest(%s::text[]) AS wanted (tail)
    CROSS JOIN LATERAL (
        ({_ACTIVE_PATIENTS} AND phone_tail >= tail AND phone_tail < tail || ':'
        LIMIT {MAX_PER_PHONE})
        UNION ALL
        ({_ACTIVE_PATIENTS} AND second_phone_tail <> ''
        AND second_phone_tail >= tail AND second_phone_tail < tail || ':'
        LIMIT {MAX_PER_PHONE})
    ) AS found
"""  # noqa: S608 - built from constants
_BY_BIRTH_AND_FAMILY = f"""
    SELECT found.* FROM unnest(%s::date[], %s::text[]) AS wanted (day, family)
    CROSS JOIN LATERAL (
        {_ACTIVE_PATIENTS} AND date_of_birth = day
        AND sort_key >= family || ' ' AND sort_key < family || '!'
        LIMIT {MAX_PER_NAME}
    ) AS found
"""  # noqa: S608 - built from constants
# The index of dates of birth has these keys: no row of a patient is read.
_NAMES_BY_BIRTH = f"""
    SELECT day, (
        SELECT string_agg(sort_key, '/') FROM (
            SELECT sort_key FROM patients_patient WHERE date_of_birth = day
            LIMIT {MAX_PER_BIRTH_DATE + 1}
        ) AS found
    ) FROM unnest(%s::date[]) AS wanted (day)
"""  # noqa: S608 - built from constants
_BY_BIRTH_AND_NAME = f"""
    SELECT found.* FROM unnest(%s::date[], %s::text[]) AS wanted (day, name)
    CROSS JOIN LATERAL (
        {_ACTIVE_PATIENTS} AND date_of_birth = day AND sort_key = name
        LIMIT {MAX_PER_NAME}
    ) AS found
"""  # noqa: S608 - built from constants


class IndexedPerson(NamedTuple):
    """A known person, with the compared columns as they are stored.

    Of thirty people who share a birth date one is compared; only that one is normalised.
    """

    id: UUID
    family: str
    row: dict[str, Any]


class PeopleIndex:
    """Known people, to be found by birth date, by name and by phone."""

    def __init__(self) -> None:
        self._by_birth_date: defaultdict[date | None, list[IndexedPerson]] = defaultdict(list)
        self._by_name: defaultdict[str, list[IndexedPerson]] = defaultdict(list)
        self._by_phone: defaultdict[str, list[IndexedPerson]] = defaultdict(list)

    def add(
        self, patient_id: UUID, row: dict[str, Any], compared: ComparedFields | None = None
    ) -> None:
        """Adds a person to be found in all three ways; `row` has the compared columns.

        `compared` is what is compared of the person, where the caller knows it.
        """
        person = self.add_by_birth_date(patient_id, row)
        if compared:
            name, numbers = compared.name_key, compared.phones
        else:
            name = name_key(person.family, cached_fold(row["given_name"] or ""))
            phone = row["phone_e164"] or phone_digits(row["phone"] or "")
            numbers = {phone, second_number(row["phone"] or "")} - {""}
        if name:
            self._by_name[name].append(person)
        for number in numbers:
            self._by_phone[number].append(person)

    def add_by_birth_date(self, patient_id: UUID, row: dict[str, Any]) -> IndexedPerson:
        """Adds a person to be found by birth date alone."""
        person = IndexedPerson(patient_id, cached_fold(row["family_name"] or ""), row)
        if known_date(row["date_of_birth"]):
            self._by_birth_date[row["date_of_birth"]].append(person)
        return person

    def find_strong_matches(self, new: ComparedFields) -> list[Match]:
        """Returns the people who are certainly or probably the new person, the surest first."""
        candidates = self._candidates(new)
        if not candidates:
            return []
        matches = []
        for person in candidates:
            match = grade_match(person.id, compared_fields(person.row, ()), new=new)
            if match and match.grade.is_strong:
                matches.append(match)
        # The word `certain` sorts before `probable`.
        return sorted(matches, key=lambda match: (match.grade, match.patient_id))

    def _candidates(self, new: ComparedFields) -> Collection[IndexedPerson]:
        people: list[IndexedPerson] = []
        for phone in (new.phone, new.second_phone):
            if phone in self._by_phone:
                people += self._by_phone[phone]
        if new.name_key in self._by_name:
            people += self._by_name[new.name_key]
        if new.born in self._by_birth_date:
            for person in self._by_birth_date[new.born]:
                if may_be_similar(person.family, new.family):
                    people.append(person)
        return {person.id: person for person in people}.values() if people else ()


def load_people_index(people: Sequence[ComparedFields]) -> PeopleIndex:
    """Returns an index of every active patient who may strongly match one of these people.

    It holds others beside them, but is bounded: of a birth date that thousands share, it has
    MAX_PER_BIRTH_DATE patients and those of the same family names.
    """
    index = PeopleIndex()
    for row in _rows_by_name(people):
        index.add(row["id"], row)
    for row in _rows_by_phone(people):
        index.add(row["id"], row)
    for row in _rows_by_birth_date(people):
        index.add_by_birth_date(row["id"], row)
    return index


def _rows_by_name(people: Sequence[ComparedFields]) -> Iterator[dict[str, Any]]:
    """Yields patients of the same name, however it is parted into family and given name.

    Whatever the rules allow to differ in the birth, the year is the same.
    """
    wanted = set()
    for person in people:
        if person.born and person.name_key:
            first, last = person.born.replace(month=1, day=1), person.born.replace(month=12, day=31)
            wanted.add((person.name_key, first, last))
    yield from _query(_BY_NAME, sorted(wanted))


def _rows_by_phone(people: Sequence[ComparedFields]) -> Iterator[dict[str, Any]]:
    tails = {phone_tail(phone) for person in people for phone in person.phones}
    yield from _query(_BY_PHONE, [(tail,) for tail in sorted(tails)])


def _rows_by_birth_date(people: Sequence[ComparedFields]) -> Iterator[dict[str, Any]]:
    """Yields patients of the same day of birth whose names may make a strong match.

    Among a million people thirty share each day. Only their names are read; whole rows are read of
    the few whose names are worth comparing.
    """
    people_by_day: defaultdict[date, list[ComparedFields]] = defaultdict(list)
    for person in people:
        if person.born and person.family and person.precision == Precision.DAY:
            people_by_day[person.born].append(person)
    if not people_by_day:
        return
    wanted: set[tuple[date, str]] = set()
    crowded_days: set[tuple[date, str]] = set()
    for day, names in _execute(_NAMES_BY_BIRTH, [sorted(people_by_day)]):
        keys = names.split("/") if names else []
        for person in people_by_day[day]:
            wanted.update((day, key) for key in names_worth_comparing(keys, person))
            if len(keys) > MAX_PER_BIRTH_DATE:
                crowded_days.add((day, person.family))
    yield from _query(_BY_BIRTH_AND_NAME, sorted(wanted))
    yield from _query(_BY_BIRTH_AND_FAMILY, sorted(crowded_days))


def _query(statement: str, wanted: Collection[tuple[Any, ...]]) -> Iterator[dict[str, Any]]:
    """Yields the rows for the wanted tuples; each place in the tuples is one array parameter."""
    if wanted:
        for row in _execute(statement, [list(column) for column in zip(*wanted, strict=True)]):
            yield dict(zip(_COLUMNS, row, strict=True))


def _execute(statement: str, parameters: list[list[Any]]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()
