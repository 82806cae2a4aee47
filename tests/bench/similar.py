"""Measures how long the panel of possible duplicates takes.

`python -m tests.bench.similar --patients 300000` fills a PostgreSQL like the bench of searches,
then asks like the page Register while a user types: first with real birth dates, then with a third
of all patients born on the same day, as after a file that wrote a day for "unknown". It prints the
processor time of database and portal together for a request, and that request by the clock.
"""

import argparse
import time
from collections.abc import Callable
from datetime import date
from typing import Any

from tests.bench.filled import database_seconds, filled_portal, without_triggers
from tests.bench.search import Person, draw_people, shown

TIMES = 100
UNKNOWN_BIRTH_DATE = date(1970, 1, 1)
CROWD = """
    UPDATE patients_patient SET date_of_birth = %s
    WHERE id IN (SELECT id FROM patients_patient WHERE hashtext(id::text) %% 3 = 0)
"""
Form = dict[str, str]
KINDS: dict[str, Callable[[Person], Form]] = {
    "name and birth date of a patient": lambda person: form(
        person.family, person.given, person.born
    ),
    "a slip in the family name": lambda person: form(
        person.slip(person.family), person.given, person.born
    ),
    "the same with phone and identifier": lambda person: {
        **form(person.slip(person.family), person.given, person.born),
        "phone": person.phone,
        "identifiers-TOTAL_FORMS": "1",
        "identifiers-INITIAL_FORMS": "0",
        "identifiers-0-system": "passport",
        "identifiers-0-value": person.identifier,
    },
    "a new person": lambda person: form(
        person.slip(person.slip(person.given)), person.slip(person.family), person.born
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=300_000)
    with filled_portal(parser.parse_args().patients):
        measure()


def measure() -> None:
    print("| birth dates | typed | processor, median | 95 % | by the clock | 95 % |")
    print("|---|---|---|---|---|---|")
    people, ask = draw_people(TIMES), asker()
    show("as people have them", people, ask)
    crowd_birth_date()
    for person in people:
        person.born = UNKNOWN_BIRTH_DATE
    show("a third on one day", people, ask)


def show(births: str, people: list[Person], ask: Callable[[Form], tuple[float, float]]) -> None:
    for what, form_of in KINDS.items():
        times = zip(*[ask(form_of(person)) for person in people], strict=True)
        print(f"| {births} | {what} | {' | '.join(map(shown, times))} |", flush=True)


def crowd_birth_date() -> None:
    with without_triggers() as cursor:
        cursor.execute(CROWD, [UNKNOWN_BIRTH_DATE])


def form(family: str, given: str, born: date) -> Form:
    day, month, year = born.day, born.month, born.year
    boxes = {f"date_of_birth_{box}": str(part) for box, part in enumerate((day, month, year))}
    return {"family_name": family, "given_name": given, "sex": "female", **boxes}


def asker() -> Callable[[Form], tuple[float, float]]:
    """Returns a function that asks like the page Register.

    It answers milliseconds of processor time, then by the clock.
    """
    from django.contrib.auth.models import Group
    from django.test import Client

    from portal.accounts.models import User

    user = User.objects.create_user("desk@clinic.example", "a-long-password")
    user.groups.add(Group.objects.get(name="front desk"))
    client: Any = Client(SERVER_NAME="localhost")
    client.force_login(user)
    client.post("/patients/similar/", form("Warm", "Up", date(1980, 1, 1)))

    def ask(sent: Form) -> tuple[float, float]:
        searched, clock, portal = database_seconds(), time.perf_counter(), time.process_time()
        assert client.post("/patients/similar/", sent).status_code == 200
        worked = database_seconds() - searched + time.process_time() - portal
        return worked * 1000, (time.perf_counter() - clock) * 1000

    return ask


if __name__ == "__main__":
    main()
