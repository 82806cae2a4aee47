"""Known people held in memory by what the rules of duplicates compare, for many new ones to be held against them."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import connection

from portal.patients.matching.lookup import MAX_PER_BIRTH_DATE, MAX_PER_NAME, MAX_PER_PHONE
from portal.patients.matching.rules import (
    COMPARED_COLUMNS,
    ComparedFields,
    Match,
    compared_fields,
    grade_match,
    phone_digits,
)
from portal.patients.models import Precision
from portal.patients.names.phonetics import phonetic_key
from portal.patients.normalize import fold, phone_tail

# Names come again and again, the rare ones over a whole import: to fold one takes as long as to find ten.
cached_fold = lru_cache(maxsize=50_000)(fold)
_sound = lru_cache(maxsize=50_000)(phonetic_key)
_LIQUIDS = frozenset("lmnr")


@dataclass(frozen=True, slots=True)
class IndexedPerson:
    """A known person. Of thirty who share a birth date one is compared, so the others are never made into Facts."""

    id: UUID
    family: str
    row: dict[str, Any]


class PeopleIndex:
    """Some known people, found by birth date, by name, and by phone."""

    def __init__(self) -> None:
        self._by_birth: defaultdict[date, list[IndexedPerson]] = defaultdict(list)
        self._by_name: defaultdict[str, list[IndexedPerson]] = defaultdict(list)
        self._by_phone: defaultdict[str, list[IndexedPerson]] = defaultdict(list)

    def add(self, patient_id: UUID, row: dict[str, Any]) -> None:
        """Have the person found by all three; `row` has the patient's columns that the rules compare."""
        face = self.add_by_birth_date(patient_id, row)
        self._by_name[_joined(face.family, cached_fold(row["given_name"] or ""))].append(face)
        if phone := row["phone_e164"] or phone_digits(row["phone"] or ""):
            self._by_phone[phone].append(face)

    def add_by_birth_date(self, patient_id: UUID, row: dict[str, Any]) -> IndexedPerson:
        """Have the person found by birth date alone."""
        face = IndexedPerson(patient_id, cached_fold(row["family_name"] or ""), row)
        if row["date_of_birth"]:
            self._by_birth[row["date_of_birth"]].append(face)
        return face

    def find_strong_matches(self, new: ComparedFields) -> list[Match]:
        """Those who are surely or probably this person, the surest first."""
        found = []
        for one, face in self._near(new).items():
            match = grade_match(one, compared_fields(face.row, ()), new=new)
            if match and match.grade.is_strong:
                found.append(match)
        return sorted(
            found, key=lambda match: (match.grade, match.patient_id)
        )  # `certain` before `probable`.

    def _near(self, new: ComparedFields) -> dict[UUID, IndexedPerson]:
        near = self._by_phone.get(new.phone, []) if new.phone else []
        for name in (_joined(new.family, new.given), _joined(new.given, new.family)):
            near = near + self._by_name.get(name, [])
        born = self._by_birth.get(new.born, []) if new.born else []
        return {
            face.id: face
            for face in near + [one for one in born if may_be_similar(one.family, new.family)]
        }


def may_be_similar(one: str, other: str) -> bool:
    """Whether it is worth asking `likeness_of` about two folded names: false only where it would say nothing.

    One letter off leaves the first or the last letter as it is; a word in common takes two words in one of them.
    """
    if not one or not other:
        return False
    if one[0] == other[0] or one[-1] == other[-1] or " " in one or " " in other:
        return True
    return liquid_consonants(one) == liquid_consonants(other) and _sound(one) == _sound(other) != ""


@lru_cache(maxsize=50_000)
def liquid_consonants(name: str) -> frozenset[str]:
    """Which of l, m, n and r a name has: its sound has the same ones, and takes twenty times as long to find."""
    return _LIQUIDS.intersection(name.replace("ł", "l"))


def _joined(*names: str) -> str:
    return " ".join(name for name in names if name)


_READ = ("id", *COMPARED_COLUMNS)
# Each finds a bounded number of patients for each thing asked for, by index, however many share it.
_FOUND = f"SELECT {', '.join(_READ)} FROM patients_patient WHERE status = 'active'"  # noqa: S608 - words of ours
_BORN = f"""
    SELECT day, array_agg(found.id::text), array_agg(family_name) FROM unnest(%s::date[]) AS asked (day)
    CROSS JOIN LATERAL (
        SELECT id, family_name FROM patients_patient WHERE status = 'active' AND date_of_birth = day
        LIMIT {MAX_PER_BIRTH_DATE + 1}
    ) AS found GROUP BY day
"""  # noqa: S608 - words of ours
_THEMSELVES = f"{_FOUND} AND id = ANY(%s::uuid[])"
_NAMED = f"""
    SELECT found.* FROM unnest(%s::text[], %s::date[], %s::date[]) AS asked (name, first, last)
    CROSS JOIN LATERAL (
        {_FOUND} AND sort_key = name AND date_of_birth BETWEEN first AND last LIMIT {MAX_PER_NAME}
    ) AS found
"""  # noqa: S608 - words of ours
_CALLED = f"""
    SELECT found.* FROM unnest(%s::text[]) AS asked (tail)
    CROSS JOIN LATERAL (
        {_FOUND} AND phone_tail >= tail AND phone_tail < tail || ':' LIMIT {MAX_PER_PHONE}
    ) AS found
"""  # noqa: S608 - words of ours
_OF_A_FAMILY = f"""
    SELECT found.* FROM unnest(%s::date[], %s::text[]) AS asked (day, family)
    CROSS JOIN LATERAL (
        {_FOUND} AND date_of_birth = day AND sort_key >= family || ' ' AND sort_key < family || '!'
        LIMIT {MAX_PER_NAME}
    ) AS found
"""  # noqa: S608 - words of ours


def load_people_index(people: Sequence[ComparedFields]) -> PeopleIndex:
    """Every active patient who may surely or probably be one of these people, and others beside them.

    Bounded: of a birth date that thousands share, 400 and those of the same family names are among them.
    """
    crowd = PeopleIndex()
    for row in (*_of_same_names(people), *_of_same_phones(people)):
        crowd.add(row["id"], row)
    for row in _of_same_days(people):
        crowd.add_by_birth_date(row["id"], row)
    return crowd


def _of_same_names(people: Sequence[ComparedFields]) -> Iterator[dict[str, Any]]:
    """Also both names exchanged. Whatever the rules allow to differ of the birth, it is of the same year."""
    asked = {
        (" ".join(names), one.born.replace(month=1, day=1), one.born.replace(month=12, day=31))
        for one in people
        if one.born
        for names in (
            [*one.family.split(), *one.given.split()],
            [*one.given.split(), *one.family.split()],
        )
    }
    yield from _ask(_NAMED, sorted(asked))


def _of_same_phones(people: Sequence[ComparedFields]) -> Iterator[dict[str, Any]]:
    yield from _ask(
        _CALLED,
        [(tail,) for tail in sorted({phone_tail(one.phone) for one in people if one.phone})],
    )


def _of_same_days(people: Sequence[ComparedFields]) -> Iterator[dict[str, Any]]:
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
        wanted += [
            one
            for one, name in zip(ids, names, strict=True)
            if _is_worth_it(cached_fold(name), families[day])
        ]
        crowded += [(day, family) for family in families[day] if len(ids) > MAX_PER_BIRTH_DATE]
    yield from _ask(_THEMSELVES, [(one,) for one in wanted])
    yield from _ask(_OF_A_FAMILY, sorted(crowded))


def _is_worth_it(name: str, families: set[str]) -> bool:
    return any(may_be_similar(name, family) for family in families)


def _ask(question: str, asked: Collection[tuple[Any, ...]]) -> Iterator[dict[str, Any]]:
    if asked:
        for row in _rows(question, [list(column) for column in zip(*asked, strict=True)]):
            yield dict(zip(_READ, row, strict=True))


def _rows(question: str, columns: list[list[Any]]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(question, columns)
        return cursor.fetchall()
