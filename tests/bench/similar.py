"""How long the panel of those who may be registered already takes: `python -m tests.bench.similar --patients 300000`.

Fills a PostgreSQL as the bench of searches does, then asks as the page of Register does while somebody types: first
with birth dates as people have them, then with a third of all born on one day, as where some file wrote a day for
"unknown". Printed is the processor time of database and portal together for a request, and that request by the clock.
"""

import argparse
import time
from collections.abc import Callable
from datetime import date
from typing import Any

from tests.bench.filled import database_seconds, filled_portal, without_triggers
from tests.bench.search import Somebody, shown, somebodies

TIMES = 100
HEAP = date(1970, 1, 1)
CROWD = """
    UPDATE patients_patient SET date_of_birth = %s
    WHERE id IN (SELECT id FROM patients_patient WHERE hashtext(id::text) %% 3 = 0)
"""
Form = dict[str, str]
KINDS: dict[str, Callable[[Somebody], Form]] = {
    "name and birth date of somebody here": lambda one: form(one.family, one.given, one.born),
    "a slip in the family name": lambda one: form(one.slip(one.family), one.given, one.born),
    "the same with phone and identifier": lambda one: {
        **form(one.slip(one.family), one.given, one.born),
        "phone": one.phone,
        "identifiers-TOTAL_FORMS": "1",
        "identifiers-INITIAL_FORMS": "0",
        "identifiers-0-system": "passport",
        "identifiers-0-value": one.identifier,
    },
    "somebody new": lambda one: form(one.slip(one.slip(one.given)), one.slip(one.family), one.born),
}


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--patients", type=int, default=300_000)
    with filled_portal(asked.parse_args().patients):
        measure()


def measure() -> None:
    print("| birth dates | typed | processor, median | 95 % | by the clock | 95 % |")
    print("|---|---|---|---|---|---|")
    people, ask = somebodies(TIMES), asker()
    show("as people have them", people, ask)
    crowd()
    for one in people:
        one.born = HEAP
    show("a third on one day", people, ask)


def show(births: str, people: list[Somebody], ask: Callable[[Form], tuple[float, float]]) -> None:
    for what, form_of in KINDS.items():
        times = zip(*[ask(form_of(one)) for one in people], strict=True)
        print(f"| {births} | {what} | {' | '.join(map(shown, times))} |", flush=True)


def crowd() -> None:
    with without_triggers() as cursor:
        cursor.execute(CROWD, [HEAP])


def form(family: str, given: str, born: date) -> Form:
    day, month, year = born.day, born.month, born.year
    boxes = {f"date_of_birth_{box}": str(part) for box, part in enumerate((day, month, year))}
    return {"family_name": family, "given_name": given, "sex": "female", **boxes}


def asker() -> Callable[[Form], tuple[float, float]]:
    """Asks as the front desk does: milliseconds of both processors, then by the clock."""
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
