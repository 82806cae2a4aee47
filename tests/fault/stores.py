"""The content of every store, read past every proxy after the system has caught up."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from protos.patient.events.v1.patient_event_pb2 import PatientEvent
from tests.fault.system import System
from tests.topic import open_consumer

POISON = "poison"  # the header with the number of a poison message
REASON = "reason"


class LogRow(NamedTuple):
    """A row of the event log."""

    event_id: int
    patient: str
    version: int
    label: str
    status: str
    mark: str
    request_id: str
    created_at: datetime


class Person(NamedTuple):
    """A patient's row."""

    patient: str
    version: int
    status: str
    mark: str
    sex: str
    birth_year: int
    region: str
    source: str
    registered_on: date


class Account(NamedTuple):
    """An account, on either side. `due` says that the portal has yet to ask billing."""

    patient: str
    account_id: str
    is_closed: bool
    version: int
    name: str = ""
    due: bool = False


class Message(NamedTuple):
    """A message of the topic, in the order of its partition."""

    partition: int
    event_id: int
    patient: str
    version: int


class Poison(NamedTuple):
    """A message that cannot be counted, as planted or as a dead letter, with its time."""

    number: str
    at: float
    reason: str = ""


class Counted(NamedTuple):
    """The state of a patient in analytics."""

    version: int
    event_id: int
    status: str


@dataclass
class Stores:
    """The content of all stores at a moment."""

    log: list[LogRow] = field(default_factory=list)
    patients: list[Person] = field(default_factory=list)
    outbox: list[int] = field(default_factory=list)
    quarantine: list[int] = field(default_factory=list)
    topic: list[Message] = field(default_factory=list)
    poison: list[Poison] = field(default_factory=list)
    dead_letters: list[Poison] = field(default_factory=list)
    states: dict[str, Counted] = field(default_factory=dict)
    inbox: list[int] = field(default_factory=list)
    figures: dict[tuple[str, str], int] = field(default_factory=dict)
    asked_accounts: list[Account] = field(default_factory=list)
    accounts: list[Account] = field(default_factory=list)
    was_emptied: bool = False  # The topic lost everything during the run, and was filled again.


_LOG = """
    SELECT pgh_id, pgh_obj_id::text, version, pgh_label, status, address_line2,
        coalesce(pgh_context ->> 'request_id', ''), pgh_created_at
    FROM patients_patientevent ORDER BY pgh_id
"""
_PATIENTS = """
    SELECT id::text, version, status, address_line2, sex,
        coalesce(extract(year FROM date_of_birth), 0)::int, region, source, registered_on
    FROM patients_patient ORDER BY id
"""
_ASKED = """
    SELECT patient_id::text, account_id, status = 'closed', synced_version, '',
        next_attempt_at IS NOT NULL
    FROM billing_billingaccount ORDER BY patient_id
"""
_ACCOUNTS = """
    SELECT patient_id::text, 'BA-' || lpad(number::text, 9, '0'), closed_at IS NOT NULL,
        patient_version, name
    FROM billing_account ORDER BY number
"""


def read_stores(system: System) -> Stores:
    """Reads all stores. PostgreSQL and Kafka must run."""
    stores = Stores()
    stores.log = [LogRow(*row) for row in rows(system, "portal", _LOG)]
    stores.patients = [Person(*row) for row in rows(system, "portal", _PATIENTS)]
    stores.outbox = [
        row[0] for row in rows(system, "portal", "SELECT event_id FROM patients_eventoutbox")
    ]
    stores.quarantine = [
        row[0] for row in rows(system, "portal", "SELECT event_id FROM events_quarantinedevent")
    ]
    stores.asked_accounts = [Account(*row) for row in rows(system, "portal", _ASKED)]
    stores.accounts = [Account(*row) for row in rows(system, "billing", _ACCOUNTS)]
    states = rows(
        system, "analytics", "SELECT patient_id::text, version, event_id, status FROM patient_state"
    )
    stores.states = {patient: Counted(*facts) for patient, *facts in states}
    stores.inbox = [
        row[0] for row in rows(system, "analytics", "SELECT event_id FROM counted_event")
    ]
    figures = rows(system, "analytics", "SELECT name, bucket, count FROM figure WHERE count <> 0")
    stores.figures = {(name, bucket): count for name, bucket, count in figures}
    _read_topics(system, stores)
    return stores


def rows(
    system: System, database: str, statement: str, values: Sequence[Any] = ()
) -> list[tuple[Any, ...]]:
    """Returns the rows of a statement."""
    with closing(system.connect(database)) as connection, connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


def _read_topics(system: System, stores: Stores) -> None:
    for message in _messages(system, "patient"):
        headers = dict(message.headers() or [])
        if POISON in headers:
            stores.poison.append(Poison(headers[POISON].decode(), message.timestamp()[1] / 1000))
        else:
            event = PatientEvent.FromString(message.value())
            stores.topic.append(
                Message(message.partition(), event.event_id, event.patient_id, event.version)
            )
    for message in _messages(system, "patient.dead-letter"):
        headers = dict(message.headers() or [])
        number, reason = (
            headers.get(POISON, b"not planted").decode(),
            headers.get(REASON, b"").decode(),
        )
        stores.dead_letters.append(Poison(number, message.timestamp()[1] / 1000, reason))


def _messages(system: System, topic: str) -> list[Any]:
    found: list[Any] = []
    with open_consumer(system.brokers, topic) as (consumer, ends):
        while ends:
            batch = consumer.consume(1_000, timeout=0.5)
            messages = [message for message in batch if not message.error()]
            found += messages
            reached = {message.partition(): message.offset() + 1 for message in messages}
            ends = {number: end for number, end in ends.items() if reached.get(number, 0) < end}
    return found
