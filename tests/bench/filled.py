"""A PostgreSQL of its own, full of patients whose names are as common and as rare as real ones."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django
import psutil

from tests.bench.names import FAMILIES, GIVEN, rare_names
from tests.servers import required_variables, run_databases

# One or two of a hundred people bear the most common name, as in reality.
FILL = """
    SELECT setseed(0.5);
    CREATE FUNCTION pg_temp.draw(names text[]) RETURNS text LANGUAGE sql VOLATILE AS
        $$ SELECT names[1 + floor(cardinality(names) * power(random(), 2.3))::int] $$;
    INSERT INTO patients_patient (
        family_name, given_name, middle_name, status, sex, date_of_birth, phone, postal_code)
    SELECT pg_temp.draw(family), pg_temp.draw(given),
        CASE WHEN random() < 0.4 THEN pg_temp.draw(given) ELSE '' END,
        CASE WHEN n %% 50 = 0 THEN 'archived' ELSE 'active' END,
        CASE WHEN n %% 1000 = 0 THEN 'other' WHEN n %% 2 = 0 THEN 'female' ELSE 'male' END,
        date '1930-01-01' + floor(random() * 34000)::int,
        '617 ' || 200 + floor(random() * 700)::int
            || ' ' || lpad(floor(random() * 10000)::text, 4, '0'),
        lpad(floor(random() * 3000)::text, 5, '0')
    FROM generate_series(1, %(count)s) AS n,
        (SELECT %(family)s::text[] AS family, %(given)s::text[] AS given) AS names;
    INSERT INTO patients_patientidentifier (patient_id, system, value)
    SELECT id, system,
        CASE system WHEN 'ssn' THEN '' ELSE 'X' END
            || 100000000 + (hashtext(id::text || system)::bigint + 2147483648) %% 900000000
    FROM patients_patient, unnest(ARRAY['ssn', 'passport']) AS system
    ON CONFLICT DO NOTHING;
    INSERT INTO patients_nameword (word)
    SELECT DISTINCT unnest(tsvector_to_array(name_words)) FROM patients_patient;
"""
FILLED = ("patients_patient", "patients_patientidentifier")


@contextmanager
def filled_portal(count: int) -> Iterator[Path]:
    """Sets Django up on `count` patients, and yields a folder. Prints the load of the machine."""
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as folder:
        data = Path(folder)
        data.chmod(0o711)  # As root, PostgreSQL runs under another account and has to pass.
        with run_databases(data / "postgres") as urls:
            environment = {"DJANGO_SETTINGS_MODULE": "portal.settings", "LOG_LEVEL": "ERROR"}
            os.environ.update({**required_variables(data), **urls, **environment})
            django.setup()
            _fill(count)
            load, _, _ = psutil.getloadavg()
            print(
                f"{psutil.cpu_count()} cores with a load of {load:.1f}, {count:,} patients\n",
                flush=True,
            )
            yield data


@contextmanager
def without_triggers() -> Iterator[Any]:
    """Yields a cursor for changes of many patients, without log, vocabulary and outbox."""
    from django.db import connection

    from portal.patients.models import Patient
    from portal.patients.triggers import compute_search_keys

    computing = compute_search_keys().get_pgid(Patient)
    with connection.cursor() as cursor:
        for table in FILLED:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(f"ALTER TABLE patients_patient ENABLE TRIGGER {computing}")
        yield cursor
        for table in FILLED:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        cursor.execute("VACUUM ANALYZE")


def _fill(count: int) -> None:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    rare = rare_names(20_000)
    with without_triggers() as cursor:
        cursor.execute(
            FILL, {"count": count, "family": [*FAMILIES, *rare], "given": [*GIVEN, *rare[:3000]]}
        )


def database_seconds() -> float:
    """Returns the processor time of our PostgreSQL process so far."""
    from django.db import connection

    connection.ensure_connection()
    statistics = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat").read_text()
    return int(statistics.split()[0]) / 1e9
