"""Each row of the log says who made that change, also where one statement writes for several."""

import json

import pytest
from django.db import connection, transaction

from portal.patients import services
from portal.patients.log_triggers import SET_CONTEXTS
from portal.patients.models import Patient, PatientEvent

pytestmark = pytest.mark.django_db
IDS = [f"00000000-0000-7000-8000-00000000000{place}" for place in (1, 2, 3)]
BY_COMMAND = {"by": None, "source": "command"}


def register(name: str) -> Patient:
    details = {"family_name": name, "given_name": "Jane"}
    return services.register_patient(details, **BY_COMMAND)


def contexts_of(statement: str, contexts: dict[str, object]) -> dict[str, object]:
    """Runs the statement, and returns what the log has of each patient that it wrote."""
    last = PatientEvent.objects.values_list("pk", flat=True).last() or 0
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SELECT {SET_CONTEXTS.format('%s')}", [json.dumps(contexts)])
        cursor.execute(statement)
    events = PatientEvent.objects.filter(pk__gt=last)
    return {str(event.pgh_obj_id): event.pgh_context for event in events}


def insert(*ids: str) -> str:
    rows = ", ".join(f"('{patient_id}', 'Example')" for patient_id in ids)
    return f"INSERT INTO patients_patient (id, family_name) VALUES {rows}"


@pytest.mark.parametrize(
    "statement",
    [insert(*IDS), "UPDATE patients_patient SET city = 'Bath'", "DELETE FROM patients_patient"],
)
def test_rows_of_one_statement_have_their_own_contexts(statement):
    """Red when all rows get one context."""
    if not statement.startswith("INSERT"):
        contexts_of(insert(*IDS), {})
    first, second, third = IDS
    contexts = {first: {"user": 1, "source": "api"}, second: {"user": 2, "source": "portal"}}
    assert contexts_of(statement, contexts) == {**contexts, third: None}
    ids = PatientEvent.objects.exclude(pgh_context=None).values_list("pgh_context_id", flat=True)
    assert None not in ids
    assert len(set(ids)) == len(ids)


@pytest.mark.django_db(transaction=True)
def test_contexts_end_with_their_transaction():
    """Red when the next change on this connection is logged as that of somebody before."""
    patient = register("A")
    contexts_of("UPDATE patients_patient SET city = 'Bath'", {str(patient.pk): {"source": "api"}})
    services.change_patient(patient.pk, {"city": "Leeds"}, **BY_COMMAND)
    assert PatientEvent.objects.last().pgh_context["source"] == "command"


def test_no_context_is_kept_beside_the_log():
    """Red when each change leaves a row that nobody reads in the table of contexts."""
    register("A")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pghistory_context")
        assert cursor.fetchone() == (0,)
