"""A file of made-up people, of any size. Each has an insurance number of its own."""

import csv
import json
import random
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from tests.bench.names import FAMILIES, GIVEN, rare_names

PERSON_COLUMNS = ["last name", "first name", "birthdate", "gender", "email", "phone"]
ADDRESS_COLUMNS = ["address", "city", "state", "zip"]
_SYLLABLES = "ba den fi go hal ka lor mi nen os pel ri san tu vel wen"
SYLLABLES = _SYLLABLES.split()
MEMBER_NUMBER = {"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MB"}
CITIES = ("Boston", "Salem", "Lowell", "Quincy")


@dataclass
class People:
    """Draws people: with names as common as real ones, or with made-up names that nobody has."""

    dice: random.Random
    are_common: bool = False

    def __post_init__(self) -> None:
        rare = rare_names(20_000) if self.are_common else []
        self._families, self._givens = [*FAMILIES, *rare], [*GIVEN, *rare[:3000]]

    def person(self, insurance: str) -> list[str]:
        """Returns the cells of a person, the insurance number last."""
        dice = self.dice
        family, given = self._name(self._families), self._name(self._givens)
        born = date(1930, 1, 1) + timedelta(days=dice.randrange(34_000))
        home = [
            f"{dice.randrange(1, 200)} Mill Lane",
            dice.choice(CITIES),
            "Massachusetts",
            f"0{dice.randrange(1001, 2799)}",
        ]
        phone = f"617 {dice.randrange(200, 900)} {dice.randrange(10_000):04}"
        contact = [f"{insurance}@mail.example".lower(), phone]
        return [family, given, str(born), dice.choice("MF"), *contact, *home, insurance]

    def _name(self, names: list[str]) -> str:
        if self.are_common:
            return names[int(len(names) * self.dice.random() ** 2.3)]
        return "".join(self.dice.choices(SYLLABLES, k=4)).capitalize()


def write_people(file: Path, count: int, *, are_common: bool = False) -> None:
    """Writes a CSV like a clinic's spreadsheet, with the same people every time."""
    people = People(random.Random(count), are_common)
    with file.open("w", newline="") as output:
        rows = csv.writer(output)
        rows.writerow([*PERSON_COLUMNS, *ADDRESS_COLUMNS, "insurance"])
        rows.writerows(people.person(f"INS-{count}-{number}") for number in range(count))


def write_fhir_lines(file: Path, count: int, *, are_common: bool = False) -> None:
    """Writes as many other people as FHIR Patients, a line each."""
    people = People(random.Random(f"other people {count}"), are_common)
    with file.open("w") as output:
        for number in range(count):
            cells = people.person(f"FHIR-{count}-{number}")
            output.write(json.dumps(_fhir_patient(*cells)) + "\n")


def _fhir_patient(
    family: str, given: str, born: str, sex: str, email: str, phone: str, *home: str
) -> dict[str, Any]:
    line, city, state, code, insurance = home
    return {
        "resourceType": "Patient",
        "identifier": [{"type": {"coding": [MEMBER_NUMBER]}, "value": insurance}],
        "name": [{"family": family, "given": [given]}],
        "gender": {"F": "female", "M": "male"}[sex],
        "birthDate": born,
        "telecom": [{"system": "phone", "value": phone}, {"system": "email", "value": email}],
        "address": [{"line": [line], "city": city, "state": state, "postalCode": code}],
    }
