"""Times searches among many patients: `python -m tests.bench.search --patients 300000`.

It fills a PostgreSQL of its own with names as common and as rare as real ones, then searches in
every way that the box knows. It prints the processor time, which other work on the machine hardly
changes: of the database for a page of hits, and of database and portal together for a request of
the suggestions. The last columns are that request by the clock.
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable

from tests.bench.filled import database_seconds, filled_portal
from tests.bench.names import misspelt

TIMES = 100  # searches of each kind
Texts = Callable[["Person"], str]


class Person:
    """A patient of the table, with the values that a clerk may type."""

    def __init__(self, row: tuple, dice: random.Random) -> None:
        self.family, self.given, self.born, self.phone, self.mrn, self.identifier = row
        self.dice = dice

    def slip(self, name: str) -> str:
        return misspelt(name, self.dice)


KINDS: dict[str, Texts] = {
    "one letter": lambda person: person.family[0],
    "two letters": lambda person: person.family[:2],
    "three letters": lambda person: person.family[:3],
    "family name": lambda person: person.family,
    "given name": lambda person: person.given,
    "two initials": lambda person: f"{person.family[0]} {person.given[0]}",
    "beginnings of both names": lambda person: f"{person.given[:2]} {person.family[:3]}",
    "family and given name": lambda person: f"{person.family} {person.given}",
    "given and family name": lambda person: f"{person.given} {person.family}",
    "family name with a slip": lambda person: person.slip(person.family),
    "given name with a slip": lambda person: person.slip(person.given),
    "both names with a slip": lambda person: f"{person.slip(person.family)} {person.given}",
    "both names, a slip in each": lambda person: (
        f"{person.slip(person.family)} {person.slip(person.given)}"
    ),
    "date of birth": lambda person: person.born.strftime("%d %b %Y"),
    "month of birth": lambda person: person.born.strftime("%b %Y"),
    "year of birth": lambda person: person.born.strftime("%Y"),
    "family name and year": lambda person: f"{person.family} {person.born.year}",
    "phone": lambda person: person.phone,
    "last four of the phone": lambda person: person.phone[-4:],
    "last three of the phone": lambda person: person.phone[-3:],
    "MRN": lambda person: person.mrn,
    "identifier": lambda person: person.identifier,
    "last four of the identifier": lambda person: person.identifier[-4:],
    "no hit": lambda person: f"{person.slip(person.given)}{person.slip(person.family)}",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=300_000)
    with filled_portal(parser.parse_args().patients):
        measure()


def measure() -> None:
    print(
        "| search for | hits, median | database | 95 % | suggestions | 95 % | by the clock | 95 % |"
    )
    print("|---|---|---|---|---|---|---|---|")
    people = draw_people(TIMES)
    ask = asker()
    for what, text_of in KINDS.items():
        rows = [ask(text_of(person)) for person in people]
        hits, *times = zip(*rows, strict=True)
        print(
            f"| {what} | {statistics.median(hits):.0f} | {' | '.join(map(shown, times))} |",
            flush=True,
        )


def draw_people(count: int) -> list[Person]:
    from django.db import connection

    dice = random.Random(7)
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT family_name, given_name, date_of_birth, phone, mrn, value
            FROM patients_patient AS patient
            JOIN patients_patientidentifier ON patient_id = patient.id
            WHERE status = 'active' ORDER BY md5(mrn) LIMIT %s""",
            [count],
        )
        return [Person(row, dice) for row in cursor]


def asker() -> Callable[[str], tuple[int, float, float, float]]:
    """Returns a function that searches like the front desk.

    It answers the hits of a page, then milliseconds as in the heads of the table.
    """
    from django.contrib.auth.models import Group
    from django.test import Client

    from portal.accounts.models import User
    from portal.patients.models import Patient
    from portal.patients.search.engine import search

    user = User.objects.create_user("desk@clinic.example", "a-long-password")
    user.groups.add(Group.objects.get(name="front desk"))
    client = Client(SERVER_NAME="localhost")
    client.force_login(user)
    client.get("/patients/suggest/", {"q": "warm"})

    def ask(text: str) -> tuple[int, float, float, float]:
        began = database_seconds()
        active = Patient.objects.filter(status="active").prefetch_related("identifiers")
        hits = len(search(active, text, limit=50).hits)
        searched, clock, portal = database_seconds(), time.perf_counter(), time.process_time()
        assert client.get("/patients/suggest/", {"q": text}).status_code == 200
        suggested = database_seconds() - searched + time.process_time() - portal
        return (
            hits,
            (searched - began) * 1000,
            suggested * 1000,
            (time.perf_counter() - clock) * 1000,
        )

    return ask


def shown(times: tuple[float, ...]) -> str:
    return f"{statistics.median(times):.1f} ms | {statistics.quantiles(times, n=20)[-1]:.1f} ms"


if __name__ == "__main__":
    main()
