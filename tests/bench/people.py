"""A file of made-up people, of any size. Each has an insurance number of its own."""

import csv
import random
from datetime import date, timedelta
from pathlib import Path

PERSON_COLUMNS = ["last name", "first name", "birthdate", "gender", "email", "phone"]
ADDRESS_COLUMNS = ["address", "city", "state", "zip"]
_SYLLABLES = "ba den fi go hal ka lor mi nen os pel ri san tu vel wen"
SYLLABLES = _SYLLABLES.split()
CITIES = ("Boston", "Salem", "Lowell", "Quincy")


def write_people(file: Path, count: int) -> None:
    """Writes a CSV like a clinic's spreadsheet, with the same people every time."""
    dice = random.Random(count)
    with file.open("w", newline="") as output:
        rows = csv.writer(output)
        rows.writerow([*PERSON_COLUMNS, *ADDRESS_COLUMNS, "insurance"])
        rows.writerows(_person(dice, f"INS-{count}-{number}") for number in range(count))


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
