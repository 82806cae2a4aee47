"""How long searches take among many patients: `python -m tests.bench.search --patients 300000`.

Fills a PostgreSQL of its own with names as common and as rare as people's are, then asks in every way that the box
knows. Printed is the processor time, which other work on the machine hardly changes: of the database for a page of
hits, and of database and portal together for a request of the suggestions; then that request by the clock.
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable

from tests.bench.filled import database_seconds, filled_portal
from tests.bench.names import misspelt

TIMES = 100
Texts = Callable[["Somebody"], str]


class Somebody:
    """One patient of the table, as a row of values that somebody may know and type."""

    def __init__(self, row: tuple, dice: random.Random) -> None:
        self.family, self.given, self.born, self.phone, self.mrn, self.identifier = row
        self.dice = dice

    def slip(self, name: str) -> str:
        return misspelt(name, self.dice)


KINDS: dict[str, Texts] = {
    "one letter": lambda one: one.family[0],
    "two letters": lambda one: one.family[:2],
    "three letters": lambda one: one.family[:3],
    "family name": lambda one: one.family,
    "given name": lambda one: one.given,
    "two initials": lambda one: f"{one.family[0]} {one.given[0]}",
    "beginnings of both names": lambda one: f"{one.given[:2]} {one.family[:3]}",
    "family and given name": lambda one: f"{one.family} {one.given}",
    "given and family name": lambda one: f"{one.given} {one.family}",
    "family name with a slip": lambda one: one.slip(one.family),
    "given name with a slip": lambda one: one.slip(one.given),
    "both names with a slip": lambda one: f"{one.slip(one.family)} {one.given}",
    "both names, a slip in each": lambda one: f"{one.slip(one.family)} {one.slip(one.given)}",
    "date of birth": lambda one: one.born.strftime("%d %m %Y"),
    "month of birth": lambda one: one.born.strftime("%b %Y"),
    "year of birth": lambda one: one.born.strftime("%Y"),
    "family name and year": lambda one: f"{one.family} {one.born.year}",
    "phone": lambda one: one.phone,
    "last four of the phone": lambda one: one.phone[-4:],
    "last three of the phone": lambda one: one.phone[-3:],
    "MRN": lambda one: one.mrn,
    "identifier": lambda one: one.identifier,
    "last four of the identifier": lambda one: one.identifier[-4:],
    "nobody": lambda one: f"{one.slip(one.given)}{one.slip(one.family)}",
}


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--patients", type=int, default=300_000)
    with filled_portal(asked.parse_args().patients):
        measure()


def measure() -> None:
    print(
        "| search for | hits, median | database | 95 % | suggestions | 95 % | by the clock | 95 % |"
    )
    print("|---|---|---|---|---|---|---|---|")
    people = somebodies(TIMES)
    ask = asker()
    for what, text_of in KINDS.items():
        rows = [ask(text_of(one)) for one in people]
        hits, *times = zip(*rows, strict=True)
        print(
            f"| {what} | {statistics.median(hits):.0f} | {' | '.join(map(shown, times))} |",
            flush=True,
        )


def somebodies(count: int) -> list[Somebody]:
    from django.db import connection

    dice = random.Random(7)
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT family_name, given_name, date_of_birth, phone, mrn, value FROM patients_patient AS patient
            JOIN patients_patientidentifier ON patient_id = patient.id WHERE status = 'active'
            ORDER BY md5(mrn) LIMIT %s""",
            [count],
        )
        return [Somebody(row, dice) for row in cursor]


def asker() -> Callable[[str], tuple[int, float, float, float]]:
    """Asks as the front desk does: hits of a page, then milliseconds as in the heads of the table."""
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
        hits = len(
            search(
                Patient.objects.filter(status="active").prefetch_related("identifiers"),
                text,
                limit=50,
            ).hits
        )
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
