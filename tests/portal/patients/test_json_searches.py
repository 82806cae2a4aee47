"""A search that one message answers finds, records and writes what several messages would."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import psycopg2
import pytest
from django.db import connection
from structlog.contextvars import bound_contextvars

from portal.patients import json_reads
from portal.patients.models import AccessRecord, Patient, PatientIdentifier, Source, Status
from portal.patients.search import tuning
from portal.patients.search.engine import begin_search
from portal.patients.search.position import parse_position
from portal.patients.selectors import PatientFilters
from portal.patients.services import archive_patient, register_patients
from tests.past_the_checks import write_past_the_checks

BY = {"by": None, "source": Source.COMMAND}
TEXTS = [
    "s",
    "sm",
    "m",
    "1984",
    "0139",
    "139",
    "617 555 0139",
    "02110",
    "A1234",
    "234",
    "王",
]


@pytest.fixture
def people():
    names = ["Smith", "Smithson", "Müller", "Stone", "王", "Smart"] * 3
    people = [
        {
            "family_name": family,
            "given_name": f"Mary {at}",
            "date_of_birth": date(1984 + at % 2, 3, 12),
            "phone": "617 555 0139" if at % 3 else "",
            "postal_code": "02110" if at % 4 else "",
        }
        for at, family in enumerate(names)
    ]
    found = register_patients(people, **BY)
    for at, patient in enumerate(found[::2]):
        PatientIdentifier.objects.create(patient=patient, system="insurance", value=f"A{at}1234")
    PatientIdentifier.objects.create(patient=found[1], system="passport", value="A1234")
    archive_patient(found[4].pk, **BY)
    return found


def answer(user, text: str, limit: int) -> tuple:
    """Returns the page, its access record, and the next page's position but for its moment."""
    AccessRecord.objects.all().delete()
    with bound_contextvars(request_id="request-1"):
        array, cursor = json_reads.find_patients(
            user, channel="api", text=text, filters=PatientFilters(), after="", limit=limit
        )
    recorded = AccessRecord.objects.values_list(
        "user_id", "patient_ids", "action", "door", "request_id"
    )
    position = parse_position(cursor, text)
    rest = position and (
        position.key,
        position.place,
        position.last_id,
        position.begun.seen_events,
        position.first_hit_ids,
        position.guesses,
    )
    return json.loads(array), [*recorded], rest


def in_several_messages(monkeypatch) -> None:
    monkeypatch.setattr(json_reads, "find_at_once", lambda *_: None)
    monkeypatch.setattr(tuning, "SEARCH", replace(tuning.SEARCH, moment_seconds=0))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("text", TEXTS)
def test_one_message_gives_what_several_give(people, front_desk, monkeypatch, text):
    """Red when a hit, its order, its reason, its JSON, its record or the next page differs."""
    active = Patient.objects.filter(status=Status.ACTIVE)
    assert begin_search(active, text, "").is_one_statement
    ours = [answer(front_desk, text, limit) for limit in (1, 2, 5, 50, 200)]
    in_several_messages(monkeypatch)
    assert ours == [answer(front_desk, text, limit) for limit in (1, 2, 5, 50, 200)]
    assert len(ours[3][0]) > 0


@pytest.mark.django_db(transaction=True)
def test_nobody_found_is_no_access(people, front_desk):
    assert answer(front_desk, "617 555 0177", 50) == ([], [], None)


@pytest.mark.django_db(transaction=True)
def test_a_date_that_cannot_be_is_answered(people, front_desk, monkeypatch):
    """Red when a patient whose JSON the database cannot make is left out, or breaks the page."""
    write_past_the_checks(people[1], date_of_birth="19840-03-15")
    ours = answer(front_desk, "A1234", 50)
    in_several_messages(monkeypatch)
    assert ours == answer(front_desk, "A1234", 50)


@pytest.mark.django_db(transaction=True)
def test_the_moment_is_older_than_who_still_writes(people, front_desk):
    """Red when the moment is read with the hits: then a later page misses what commits after it."""
    parameters = connection.get_connection_params()
    parameters.pop("cursor_factory", None)
    with psycopg2.connect(**parameters) as other, other.cursor() as cursor:
        cursor.execute("UPDATE patients_patient SET city = 'Boston' WHERE id = %s", [people[0].pk])
        cursor.execute("SELECT now()")
        [began_at] = cursor.fetchone()
        register_patients([{"family_name": "Soon"}], **BY)
        with bound_contextvars(request_id="request-1"):
            _, next_cursor = json_reads.find_patients(
                front_desk,
                channel="api",
                text="s",
                filters=PatientFilters(),
                after="",
                limit=2,
            )
    other.close()
    begun = parse_position(next_cursor, "s").begun
    assert datetime.now(UTC) - timedelta(minutes=1) < begun.since <= began_at
    assert len(begun.seen_events) == 1  # The page saw who came after that moment.
