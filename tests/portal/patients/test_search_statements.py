"""Several interpretations of a text are read by one statement, with the hits of each in turn."""

from dataclasses import replace
from datetime import date

import pytest
from django.db import connection

from portal.patients.models import Patient, Status
from portal.patients.search import statements, tuning
from portal.patients.search.conditions import is_none_of
from portal.patients.search.engine import find_hits
from portal.patients.search.hits import find_exact_hits
from portal.patients.search.query import interpret_query
from portal.patients.search.statements import active_patients, read_one
from portal.patients.services import archive_patient, register_patients

PEOPLE = """
    Smith,Mary Smith,John Smith,Müller Smith,Maria Smithson,Ann Müller,Smith Muller,Jane Mary,Smith
    Mary,Ann Ann,Mary Vandersmith,Jo Smith-Jones,Mary-Ann Jones,Smith Ma,Smi O'Smith,Mary
"""
TEXTS = """
    s;smith;müller;muller;mary;smith mary;mary smith;ma smi;m s;s m;smith jones mary;o smith;
    mary ann;smith 1984;smith 12 mar 1984;mary smith 1984;müller 1984;smith 0139;1984;0139;
    617 555 0139;02110;smith 02110;ma;jane 1985;mary x smith;smith mary ann jones
"""


@pytest.fixture
def people(db):
    """Registers people who share names, birth dates and phones; some of them are archived."""
    rows = []
    for at, person in enumerate(PEOPLE.split() * 2):
        family, given = person.split(",")
        rows.append(
            {
                "family_name": family,
                "given_name": given,
                "middle_name": "Smith" if at % 7 == 0 else "",
                "date_of_birth": date(1984 + at % 2, 3, 12),
                "phone": "617 555 0139" if at % 3 else "",
                "postal_code": "02110" if at % 4 else "",
            }
        )
    found = register_patients(rows, by=None, source="command")
    for patient in found[::9]:
        archive_patient(patient.pk, by=None, source="command")


def read_one_by_one(text: str, limit: int) -> list[tuple]:
    rows: list[tuple] = []
    for interpretation in interpret_query(text):
        unseen = active_patients() & is_none_of([row[0] for row in rows])
        rows += [
            (found.id, interpretation.key, interpretation.reason(found), found.place)
            for found in read_one(unseen, interpretation, limit - len(rows))
        ]
    return rows


def read_together(text: str, limit: int) -> list[tuple]:
    hits = find_exact_hits(active_patients(), interpret_query(text), limit)
    return [(hit.patient_id, hit.key, hit.reason, hit.place) for hit in hits]


@pytest.mark.parametrize("text", [text.strip() for text in TEXTS.split(";")])
@pytest.mark.usefixtures("people")
def test_one_statement_finds_what_each_interpretation_finds(text):
    """Red without `is_new` in a rung, and with `rank` left out of the order."""
    for limit in (1, 2, 5, 51, 300):
        assert read_together(text, limit) == read_one_by_one(text, limit)


@pytest.mark.usefixtures("people")
def test_a_connection_remembers_a_bounded_number_of_plans(monkeypatch):
    """Red without the bound."""
    monkeypatch.setattr(statements, "_prepared_texts", set())
    monkeypatch.setattr(tuning, "SEARCH", replace(tuning.SEARCH, max_prepared=1))
    before = planned_statements()
    for limit in (401, 402, 403):  # Each makes a text of its own.
        assert read_together("smith", limit) == read_one_by_one("smith", limit)
    assert len(planned_statements() - before) <= 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("text", ["smith", "smith mary", "smyth marry"])
def test_a_search_starts_no_processes(people, text):
    """Red when a plan for all values, which takes few rows for many, starts parallel workers."""
    with connection.cursor() as cursor:
        cursor.execute("SET debug_parallel_query = on")
    try:
        before = parallel_workers()
        hits = find_hits(Patient.objects.filter(status=Status.ACTIVE), text, limit=50).hits
        assert hits
        assert parallel_workers() == before
    finally:
        connection.close()


def parallel_workers() -> int:
    """Returns how many parallel workers this database has wanted so far."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute(
            "SELECT parallel_workers_to_launch FROM pg_stat_database"
            " WHERE datname = current_database()"
        )
        return cursor.fetchone()[0]


def planned_statements() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_prepared_statements WHERE name LIKE 'search%'")
        return {name for (name,) in cursor}
