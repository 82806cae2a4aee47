"""How long searches take among many patients: `python -m tests.bench.search --patients 300000`.

Fills a PostgreSQL of its own with names as common and as rare as people's are, then asks in every way that the box
knows. Printed is the processor time, which other work on the machine hardly changes: of the database for a page of
hits, and of database and portal together for a request of the suggestions; then that request by the clock.
"""

import argparse
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from tests.bench.names import FAMILIES, GIVEN, misspelt, rare_names
from tests.servers import addresses, databases

TIMES = 100
# The most common name is borne by one or two of a hundred people, as among real ones.
FILL = """
    SELECT setseed(0.5);
    CREATE FUNCTION pg_temp.one_of(names text[]) RETURNS text LANGUAGE sql VOLATILE AS
        $$ SELECT names[1 + floor(cardinality(names) * power(random(), 2.3))::int] $$;
    INSERT INTO patients_patient (family_name, given_name, middle_name, status, sex, date_of_birth, phone, postal_code)
    SELECT pg_temp.one_of(family), pg_temp.one_of(given),
        CASE WHEN random() < 0.4 THEN pg_temp.one_of(given) ELSE '' END,
        CASE WHEN n %% 50 = 0 THEN 'archived' ELSE 'active' END,
        CASE WHEN n %% 1000 = 0 THEN 'other' WHEN n %% 2 = 0 THEN 'female' ELSE 'male' END,
        date '1930-01-01' + floor(random() * 34000)::int,
        '617 ' || 200 + floor(random() * 700)::int || ' ' || lpad(floor(random() * 10000)::text, 4, '0'),
        lpad(floor(random() * 3000)::text, 5, '0')
    FROM generate_series(1, %(count)s) AS n, (SELECT %(family)s::text[] AS family, %(given)s::text[] AS given) AS names;
    INSERT INTO patients_patientidentifier (patient_id, system, value)
    SELECT id, system,
        CASE system WHEN 'ssn' THEN '' ELSE 'X' END
            || 100000000 + (hashtext(id::text || system)::bigint + 2147483648) %% 900000000
    FROM patients_patient, unnest(ARRAY['ssn', 'passport']) AS system
    ON CONFLICT DO NOTHING;
    INSERT INTO patients_nameword (word) SELECT DISTINCT unnest(tsvector_to_array(name_words)) FROM patients_patient;
"""
FILLED = ("patients_patient", "patients_patientidentifier")
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
    count = asked.parse_args().patients
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as folder:
        data = Path(folder)
        data.chmod(0o711)  # As root, PostgreSQL runs under another account and has to pass.
        with databases(data / "postgres") as urls:
            environment = {"DJANGO_SETTINGS_MODULE": "portal.settings", "LOG_LEVEL": "ERROR"}
            os.environ.update({**addresses(data), **urls, **environment})
            measure(count)


def measure(count: int) -> None:
    import django

    django.setup()
    fill(count)
    load, _, _ = psutil.getloadavg()
    print(f"{psutil.cpu_count()} cores with a load of {load:.1f}, {count:,} patients\n")
    print("| search for | hits, median | database | 95 % | suggestions | 95 % | by the clock | 95 % |")
    print("|---|---|---|---|---|---|---|---|")
    people = somebodies(TIMES)
    ask = asker()
    for what, text_of in KINDS.items():
        rows = [ask(text_of(one)) for one in people]
        hits, *times = zip(*rows, strict=True)
        print(f"| {what} | {statistics.median(hits):.0f} | {' | '.join(map(shown, times))} |", flush=True)


def fill(count: int) -> None:
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    rare = rare_names(20_000)
    with connection.cursor() as cursor:
        for table in FILLED:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(FILL, {"count": count, "family": [*FAMILIES, *rare], "given": [*GIVEN, *rare[:3000]]})
        for table in FILLED:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        cursor.execute("VACUUM ANALYZE")


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
    from portal.patients.search import search

    user = User.objects.create_user("desk@clinic.example", "a-long-password")
    user.groups.add(Group.objects.get(name="front desk"))
    client = Client(SERVER_NAME="localhost")
    client.force_login(user)
    client.get("/patients/suggest/", {"q": "warm"})

    def ask(text: str) -> tuple[int, float, float, float]:
        began = database_seconds()
        hits = len(search(Patient.objects.filter(status="active").prefetch_related("identifiers"), text, limit=50).hits)
        searched, clock, portal = database_seconds(), time.perf_counter(), time.process_time()
        assert client.get("/patients/suggest/", {"q": text}).status_code == 200
        suggested = database_seconds() - searched + time.process_time() - portal
        return hits, (searched - began) * 1000, suggested * 1000, (time.perf_counter() - clock) * 1000

    return ask


def database_seconds() -> float:
    """Processor time that our PostgreSQL process has taken so far."""
    from django.db import connection

    connection.ensure_connection()
    return int(Path(f"/proc/{connection.connection.info.backend_pid}/schedstat").read_text().split()[0]) / 1e9


def shown(times: tuple[float, ...]) -> str:
    return f"{statistics.median(times):.1f} ms | {statistics.quantiles(times, n=20)[-1]:.1f} ms"


if __name__ == "__main__":
    main()
