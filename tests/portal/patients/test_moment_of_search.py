"""Statements of one search see one moment, and searches at once ask for it once."""

from dataclasses import replace

import psycopg2
import pytest
from django.db import DataError, connection

from portal.patients.models import Patient, Source
from portal.patients.search import tuning
from portal.patients.search.moment import one_snapshot, open_since
from portal.patients.services import register_patient

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def other():
    """Another connection, whose statements are committed at once."""
    parameters = connection.get_connection_params()
    parameters.pop("cursor_factory", None)
    raw = psycopg2.connect(**parameters)
    raw.autocommit = True
    with raw.cursor() as cursor:
        yield cursor
    raw.close()


@pytest.fixture
def patient():
    return register_patient({"family_name": "Abel"}, by=None, source=Source.COMMAND)


def city() -> str:
    return Patient.objects.values_list("city", flat=True).get()


def move(cursor, where: str) -> None:
    cursor.execute("UPDATE patients_patient SET city = %s", [where])


@pytest.mark.usefixtures("patient")
def test_all_statements_see_the_same_moment(other):
    """Red when a statement sees what was committed after the one before it."""
    with one_snapshot():
        before = city()
        move(other, "Boston")
        assert city() == before
    assert city() == "Boston"


@pytest.mark.usefixtures("patient")
def test_an_error_ends_the_snapshot(other):
    """Red when the connection stays in a transaction, or looks as if it did."""
    with pytest.raises(DataError), one_snapshot(), connection.cursor() as cursor:
        cursor.execute("SELECT 1 / 0")
    assert not connection.in_atomic_block
    move(other, "Boston")
    assert city() == "Boston"
    Patient.objects.update(city="Salem")
    other.execute("SELECT city FROM patients_patient")
    assert other.fetchone() == ("Salem",)


@pytest.mark.usefixtures("patient")
def test_a_lost_connection_ends_the_snapshot(other):
    with one_snapshot():
        city()
        other.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
    assert city() == ""


def test_searches_at_once_ask_for_one_moment(monkeypatch):
    """Red when each search asks the database for its moment."""
    monkeypatch.setattr(tuning, "SEARCH", replace(tuning.SEARCH, moment_seconds=60))
    first = open_since()
    assert open_since() == first
    monkeypatch.setattr(tuning, "SEARCH", replace(tuning.SEARCH, moment_seconds=0))
    assert open_since() > first
