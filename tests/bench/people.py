"""A file of made-up people, of any size. Each has an insurance number of its own."""

import csv
import json
import random
from datetime import date, timedelta
from pathlib import Path
from typing import Any

PERSON_COLUMNS = ["last name", "first name", "birthdate", "gender", "email", "phone"]
ADDRESS_COLUMNS = ["address", "city", "state", "zip"]
_SYLLABLES = "ba den fi go hal ka lor mi nen os pel ri san tu vel wen"
SYLLABLES = _SYLLABLES.split()
MEMBER_NUMBER = {"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MB"}
CITIES = ("Boston", "Salem", "Lowell", "Quincy")


def write_people(file: Path, count: int) -> None:
    """Writes a CSV like a clinic's spreadsheet, with the same people every time."""
    dice = random.Random(count)
    with file.open("w", newline="") as output:
        rows = csv.writer(output)
        rows.writerow([*PERSON_COLUMNS, *ADDRESS_COLUMNS, "insurance"])
        rows.writerows(_person(dice, f"INS-{count}-{number}") for number in range(count))


def write_fhir_lines(file: Path, count: int) -> None:
    """Writes as many other people as FHIR Patients, a line each."""
    dice = random.Random(f"other people {count}")
    with file.open("w") as output:
        for number in range(count):
            output.write(json.dumps(_fhir_patient(dice, f"FHIR-{count}-{number}")) + "\n")


def _fhir_patient(dice: random.Random, insurance: str) -> dict[str, Any]:
    person = _person(dice, insurance)
    family, given, born, sex, email, phone, line, city, state, code, value = person
    return {
        "resourceType": "Patient",
        "identifier": [{"type": {"coding": [MEMBER_NUMBER]}, "value": value}],
        "name": [{"family": family, "given": [given]}],
        "gender": {"F": "female", "M": "male"}[sex],
        "birthDate": born,
        "telecom": [{"system": "phone", "value": phone}, {"system": "email", "value": email}],
        "address": [{"line": [line], "city": city, "state": state, "postalCode": code}],
    }


def _person(dice: random.Random, insurance: str) -> list[str]:
    family, given = (_name(dice) for _ in range(2))
    born = date(1935, 1, 1) + timedelta(days=dice.randrange(90 * 365))
    contact = [f"{given}.{family}@mail.example".lower(), f"617 555 01{dice.randrange(100):02}"]
    home = [
        f"{dice.randrange(1, 200)} Mill Lane",
        dice.choice(CITIES),
        "Massachusetts",
        f"0{dice.randrange(1001, 2799)}",
    ]
    return [family, given, str(born), dice.choice("MF"), *contact, *home, insurance]


def _name(dice: random.Random) -> str:
    return "".join(dice.choices(SYLLABLES, k=4)).capitalize()
