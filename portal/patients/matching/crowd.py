"""Known people held in memory by what the rules of duplicates compare, for many new ones to be held against them."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID

from portal.patients.finding.sounds import sound_of
from portal.patients.matching.duplicates import Facts, Match, digits_of, facts_of, match_of
from portal.patients.words import fold

# Names come again and again, the rare ones over a whole import: to fold one takes as long as to find ten.
folded = lru_cache(maxsize=50_000)(fold)
_sound = lru_cache(maxsize=50_000)(sound_of)
_LIQUIDS = frozenset("lmnr")


@dataclass(frozen=True, slots=True)
class Face:
    """A known person. Of thirty who share a birth date one is compared, so the others are never made into Facts."""

    id: UUID
    family: str
    row: dict[str, Any]


class Crowd:
    """Some known people, found by birth date, by name, and by phone."""

    def __init__(self) -> None:
        self._by_birth: defaultdict[date, list[Face]] = defaultdict(list)
        self._by_name: defaultdict[str, list[Face]] = defaultdict(list)
        self._by_phone: defaultdict[str, list[Face]] = defaultdict(list)

    def add(self, patient_id: UUID, row: dict[str, Any]) -> None:
        """Have the person found by all three; `row` has the patient's columns that the rules compare."""
        face = self.add_born(patient_id, row)
        self._by_name[_joined(face.family, folded(row["given_name"] or ""))].append(face)
        if phone := row["phone_e164"] or digits_of(row["phone"] or ""):
            self._by_phone[phone].append(face)

    def add_born(self, patient_id: UUID, row: dict[str, Any]) -> Face:
        """Have the person found by birth date alone."""
        face = Face(patient_id, folded(row["family_name"] or ""), row)
        if row["date_of_birth"]:
            self._by_birth[row["date_of_birth"]].append(face)
        return face

    def matches(self, new: Facts) -> list[Match]:
        """Those who are surely or probably this person, the surest first."""
        found = []
        for one, face in self._near(new).items():
            match = match_of(one, facts_of(face.row, ()), new=new)
            if match and match.grade.is_strong:
                found.append(match)
        return sorted(found, key=lambda match: (match.grade, match.patient_id))  # `certain` before `probable`.

    def _near(self, new: Facts) -> dict[UUID, Face]:
        near = self._by_phone.get(new.phone, []) if new.phone else []
        for name in (_joined(new.family, new.given), _joined(new.given, new.family)):
            near = near + self._by_name.get(name, [])
        born = self._by_birth.get(new.born, []) if new.born else []
        return {face.id: face for face in near + [one for one in born if may_be_alike(one.family, new.family)]}


def may_be_alike(one: str, other: str) -> bool:
    """Whether it is worth asking `likeness_of` about two folded names: false only where it would say nothing.

    One letter off leaves the first or the last letter as it is; a word in common takes two words in one of them.
    """
    if not one or not other:
        return False
    if one[0] == other[0] or one[-1] == other[-1] or " " in one or " " in other:
        return True
    return liquids(one) == liquids(other) and _sound(one) == _sound(other) != ""


@lru_cache(maxsize=50_000)
def liquids(name: str) -> frozenset[str]:
    """Which of l, m, n and r a name has: its sound has the same ones, and takes twenty times as long to find."""
    return _LIQUIDS.intersection(name.replace("ł", "l"))


def _joined(*names: str) -> str:
    return " ".join(name for name in names if name)
