"""Patients that a bench asks for, drawn from all of them, and people who are new."""

import itertools
import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from tests.bench.filling import session
from tests.bench.names import FAMILIES, GIVEN
from tests.bench.people import SYLLABLES
from tests.bench.search import Person

SAMPLE = 5_000
DRAW = """
    SELECT family_name, given_name, date_of_birth, phone, mrn, value, patient.id::text
    FROM patients_patient AS patient
    JOIN patients_patientidentifier ON patient_id = patient.id AND system = 'ssn'
    WHERE status = 'active' AND email LIKE 'person%%' ORDER BY md5(mrn) LIMIT %s
"""


class Patient(Person):
    """A patient with the id by which the API knows it."""

    def __init__(self, row: tuple, dice: random.Random) -> None:
        super().__init__(row[:6], dice)
        self.id: str = row[6]


def draw_patients(url: str) -> list[Patient]:
    """Returns a few thousand patients from everywhere in the list, the same at each run."""
    dice = random.Random(7)
    with session(url) as cursor:
        cursor.execute(DRAW, [SAMPLE])
        return [Patient(row, dice) for row in cursor.fetchall()]


def new_people(seed: int) -> Iterator[dict[str, Any]]:
    """Yields people whom nobody has registered, by the portal's columns, without end."""
    dice = random.Random(seed)
    for number in itertools.count():
        family = "".join(dice.choices(SYLLABLES, k=3)).capitalize() + dice.choice(FAMILIES)
        yield {
            "family_name": family.replace("'", ""),
            "given_name": dice.choice(GIVEN),
            "date_of_birth": str(date(1930, 1, 1) + timedelta(days=dice.randrange(34_000))),
            "sex": dice.choice(("female", "male")),
            "email": f"new{seed}.{number}@mail.example",
            "phone": f"617 555 {dice.randrange(10_000):04}",
            "address_line1": f"{dice.randrange(1, 200)} Mill Lane",
            "city": "Boston",
            "region": "Massachusetts",
            "postal_code": f"0{dice.randrange(1001, 2799)}",
            "country": "US",
        }
