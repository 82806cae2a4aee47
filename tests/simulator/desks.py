"""The clinic: every channel that writes patients, and the answer that the writer gets.

Each act writes values that were never there before, so that an act on a patient is always a change.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from django.db import connection, transaction
from rest_framework.test import APIClient

from portal.accounts.models import User
from portal.billing.services import request_accounts
from portal.errors import Conflict
from portal.patients import services
from portal.patients.models import Patient, Status
from tests.simulator.checks import must
from tests.simulator.processes import Process

Acts = dict[UUID, int]
"""For each patient, by how many versions an act raises the record."""

_SQL_INSERT = (
    "INSERT INTO patients_patient (family_name, given_name) VALUES (%s, 'Raw') RETURNING id"
)
_FIELDS = ("given_name", "email", "city", "region")


class Words:
    """Makes values that never come twice."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def next(self, field: str = "family_name") -> str:
        number = next(self._numbers)
        return f"person{number}@example.org" if field == "email" else f"Word {number}"


def register_at_the_desk(words: Words) -> Acts:
    details = {"family_name": words.next(), "given_name": "Jane", "sex": "female", "region": "Ohio"}
    patient = services.register_patient(details, by=None, source="portal")
    return {patient.pk: 1}


def import_several(words: Words) -> Acts:
    many = [{"family_name": words.next(), "email": words.next("email")} for _ in range(3)]
    return {patient.pk: 1 for patient in services.register_patients(many, by=None, source="import")}


def save_in_the_shell(words: Words) -> Acts:
    return {Patient.objects.create(family_name=words.next(), sex="male", source="command").pk: 1}


def insert_by_sql(words: Words) -> Acts:
    with connection.cursor() as cursor:
        cursor.execute(_SQL_INSERT, [words.next()])
        return {cursor.fetchone()[0]: 1}


def correct_at_the_desk(words: Words, patient: UUID, field: str) -> Acts:
    with suppress(Conflict):  # A merged record is changed by SQL alone.
        services.change_patient(patient, {field: words.next(field)}, by=None, source="portal")
        return {patient: 1}
    return {patient: 0}


def correct_by_import(words: Words, patient: UUID, field: str) -> Acts:
    with suppress(Conflict):
        services.change_patients([(patient, {field: words.next(field)})], by=None, source="import")
        return {patient: 1}
    return {patient: 0}


def update_by_queryset(words: Words, patient: UUID, field: str) -> Acts:
    Patient.objects.filter(pk=patient).update(**{field: words.next(field)})
    return {patient: 1}


def update_by_sql(words: Words, patient: UUID, field: str) -> Acts:
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE patients_patient SET {field} = %s WHERE id = %s", [words.next(field), patient]
        )
    return {patient: 1}


def give_an_email_that_billing_refuses(words: Words, patient: UUID) -> Acts:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE patients_patient SET email = %s WHERE id = %s",
            [f"nobody {words.next()}", patient],
        )
    request_accounts([patient])
    return {patient: 1}


def archive_or_restore(words: Words, patient: UUID) -> Acts:
    """Archives an active record, restores an archived one, and unmerges a merged one by SQL."""
    status = Patient.objects.values_list("status", flat=True).get(pk=patient)
    if status == Status.ACTIVE:
        services.archive_patient(patient, by=None, source="portal")
    elif status == Status.ARCHIVED:
        services.restore_patient(patient, by=None, source="portal")
    else:
        Patient.objects.filter(pk=patient).update(status=Status.ACTIVE, merged_into=None)
    return {patient: 1}


def merge_by_sql(words: Words, patient: UUID) -> Acts:
    """Merges into the oldest other active patient that no desk has locked, if there is one."""
    statement = """
        UPDATE patients_patient SET status = 'merged', merged_into_id = other.id
        FROM (
            SELECT id FROM patients_patient WHERE status = 'active' AND id <> %(id)s
            ORDER BY id LIMIT 1 FOR KEY SHARE SKIP LOCKED
        ) AS other
        WHERE patients_patient.id = %(id)s AND status <> 'merged'
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, {"id": patient})
        return {patient: cursor.rowcount}


REGISTRATIONS = (register_at_the_desk, import_several, save_in_the_shell, insert_by_sql)
CORRECTIONS = (correct_at_the_desk, correct_by_import, update_by_queryset, update_by_sql)
FIELDS = _FIELDS
OTHER_CHANGES = (archive_or_restore, merge_by_sql, give_an_email_that_billing_refuses)


def register_with_a_key(words: Words, *, answers_lost: int) -> Acts:
    """Registers by a program that repeats the request with its key when no answer came."""
    details, key = {"family_name": words.next(), "given_name": "Jane"}, str(uuid4())
    return _single_patient(
        services.register_patient(details, by=None, source="api", idempotency_key=key).pk
        for _ in range(answers_lost + 1)
    )


def register_through_the_api(words: Words, program: User, *, answers_lost: int) -> Acts:
    """Does the same through the REST API."""
    client, body = APIClient(), {"familyName": words.next(), "givenName": "Jane"}
    client.force_authenticate(program)
    headers = {"Idempotency-Key": str(uuid4())}
    answers = [
        client.post("/api/patients", body, format="json", headers=headers)
        for _ in range(answers_lost + 1)
    ]
    assert {answer.status_code for answer in answers} == {201}, answers[0].content
    return _single_patient(UUID(answer.json()["id"]) for answer in answers)


def _single_patient(made: Iterable[UUID]) -> Acts:
    patients = dict.fromkeys(made, 1)
    must(
        len(patients) == 1,
        "P1: a registration that is asked for again with its key makes one patient",
    )
    return patients


class Desk:
    """A database session with a transaction that may stay open for long."""

    def __init__(self, name: str) -> None:
        self._process, self._stack = Process(name), ExitStack()
        self.acts: Acts = {}
        self.is_open = False

    def begin(self) -> None:
        self.is_open = True
        self._do(lambda: self._stack.enter_context(transaction.atomic()))
        # PostgreSQL's now() is the time of the first statement.
        self._do(lambda: connection.cursor().execute("SELECT pg_catalog.now()"))

    def act(self, act: Callable[[], Acts]) -> Acts:
        done = self._do(act)
        self.acts |= {
            patient: self.acts.get(patient, 0) + changes for patient, changes in done.items()
        }
        return done

    def commit(self) -> Acts:
        """Returns the acts that are committed now."""
        self._do(self._stack.close)
        return self._leave()

    def roll_back(self) -> None:
        self._do(self._undo)
        self._leave()

    def end(self) -> None:
        if self.is_open:
            self.roll_back()
        self._process.end()

    def _undo(self) -> None:
        transaction.set_rollback(True)
        self._stack.close()

    def _leave(self) -> Acts:
        acts, self.acts, self.is_open = self.acts, {}, False
        return acts

    def _do(self, job: Callable[[], Any]) -> Any:
        outcome = self._process.begin(job)
        if outcome.state != "done":
            raise outcome.value
        return outcome.value


def locked_patients(desks: Sequence[Desk]) -> set[UUID]:
    """Returns the patients that an open transaction has locked."""
    return {patient for desk in desks for patient in desk.acts}
