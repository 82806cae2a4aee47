"""Fills every store directly, as after years of work: many patients, a fifth of them changed."""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg2
from confluent_kafka import Consumer, Producer, TopicPartition
from faust.types import TP

from analytics_stream.topic_fingerprint import read_fingerprints
from portal.patients.fields import RECORDED
from protos.patient.events.v1.patient_event_pb2 import PatientEvent

TABLES = ("patients_patient", "patients_patientevent")
COPIED = [*RECORDED, "id", "created_at", "updated_at"]
PORTAL = f"""
    INSERT INTO patients_patient (
        version, status, family_name, given_name, date_of_birth, sex, email, phone,
        address_line1, city, region, postal_code, country)
    SELECT 1 + (n % 5 = 0)::int, CASE WHEN n % 50 = 0 THEN 'archived' ELSE 'active' END,
        'Family' || n % 9973, 'Given' || n % 997, date '1930-01-01' + n % 30000,
        CASE n % 2 WHEN 0 THEN 'female' ELSE 'male' END,
        'person' || n || '@mail.example', '617 555 ' || n % 10000, n % 200 || ' Mill Lane',
        'Boston', 'Massachusetts', '02139', 'US'
    FROM generate_series(1, :count) AS n;
    INSERT INTO patients_patientevent (
        pgh_obj_id, pgh_created_at, pgh_label, version, {", ".join(COPIED)})
    SELECT p.id, now(), CASE v.version WHEN 1 THEN 'insert' ELSE 'update' END, v.version,
        {", ".join(f"p.{name}" for name in COPIED)}
    FROM patients_patient AS p
    CROSS JOIN LATERAL generate_series(1, p.version) AS v (version) ORDER BY p.id, v.version;
    INSERT INTO billing_billingaccount (
        patient_id, status, account_id, wanted_version, synced_version, next_attempt_at)
    SELECT id, CASE status WHEN 'active' THEN 'active' ELSE 'closed' END,
        'BA-' || to_char(row_number() OVER (ORDER BY id), 'FM000000000'), version, version, NULL
    FROM patients_patient;
    ANALYZE;
"""
BILLING = """
    INSERT INTO billing_account (number, patient_id, name, email, patient_version, closed_at)
    OVERRIDING SYSTEM VALUE
    SELECT row_number() OVER (ORDER BY patient), patient, 'Given Family', '', version,
        CASE status WHEN 'active' THEN NULL ELSE now() END FROM people;
    ANALYZE;
"""
ANALYTICS = """
    INSERT INTO counted_event SELECT patient, event_id, at FROM events;
    INSERT INTO patient_state (
        patient_id, version, event_id, status, sex, birth_year, region, registered_on,
        registered_through, registered_at, counted)
    SELECT patient, max(version), max(event_id), max(status), 'female', 1980, 'Massachusetts',
        current_date, 'command', min(at), count(*)
    FROM events GROUP BY patient;
    ANALYZE;
"""
EVENTS = """
    SELECT pgh_id, pgh_obj_id::text, version, status, pgh_created_at
    FROM patients_patientevent ORDER BY pgh_id
"""


def fill_portal(url: str, count: int) -> None:
    with session(url) as cursor:
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(PORTAL.replace(":count", str(count)))
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def fill_billing(portal: str, billing: str) -> None:
    with session(billing) as cursor:
        cursor.execute("CREATE TEMP TABLE people (patient uuid, version bigint, status text)")
        copy_rows(portal, "SELECT id, version, status FROM patients_patient", cursor, "people")
        cursor.execute(BILLING)


def fill_analytics(portal: str, analytics: str) -> None:
    with session(analytics) as cursor:
        cursor.execute(
            "CREATE TEMP TABLE events"
            " (event_id bigint, patient uuid, version bigint, status text, at timestamptz)"
        )
        copy_rows(portal, EVENTS.replace("::text", ""), cursor, "events")
        cursor.execute(ANALYTICS)


def fill_topic(portal: str, broker: str, topic: str) -> int:
    """Writes every event with the headers of the relay. Returns how many."""
    settings = {
        "bootstrap.servers": broker,
        "partitioner": "murmur2_random",
        "linger.ms": 20,
        "queue.buffering.max.messages": 200_000,
    }
    producer = Producer(settings)
    count = 0
    for event_id, patient, version, status, at in rows(portal, EVENTS):
        producer.produce(
            topic,
            value(event_id, patient, version, status, at),
            key=patient,
            headers=headers(event_id),
        )
        count += 1
        if count % 10_000 == 0:
            producer.poll(0)
            while len(producer) > 100_000:
                producer.poll(0.1)
    assert producer.flush(300) == 0
    return count


def start_at_the_end(analytics: str, broker: str, topic: str) -> None:
    """Sets the offsets of the worker to the end of the topic, since everything is counted."""
    consumer = Consumer(
        {"bootstrap.servers": broker, "group.id": "analytics", "enable.auto.commit": False}
    )
    try:
        partitions = consumer.list_topics(topic, timeout=20).topics[topic].partitions
        places = [TopicPartition(topic, number) for number in partitions]
        for place in places:
            place.offset = consumer.get_watermark_offsets(place, timeout=20)[1]
        consumer.commit(offsets=places, asynchronous=False)
    finally:
        consumer.close()
    begun_with = (
        asyncio.run(read_fingerprints([broker], [TP(topic, place.partition) for place in places]))
        or {}
    )
    with session(analytics) as cursor:
        for place in places:
            row = [topic, place.partition, place.offset, begun_with[TP(topic, place.partition)]]
            cursor.execute("INSERT INTO read_offset VALUES (%s, %s, %s, %s)", row)


def value(event_id: int, patient: str, version: int, status: str, at: datetime) -> bytes:
    event = PatientEvent(
        patient_id=patient,
        name="Given Family",
        email="person@mail.example",
        event_id=event_id,
        version=version,
        event_type="PATIENT_CREATED" if version == 1 else "PATIENT_UPDATED",
        status=status,
        sex="female",
        birth_year=1980,
        city="Boston",
        region="Massachusetts",
        postal_area="021",
        country="US",
        registered_on=at.date().isoformat(),
        source="command",
        registered_through="command",
    )
    event.occurred_at.FromDatetime(at)
    return event.SerializeToString()


def headers(event_id: int) -> list[tuple[str, bytes]]:
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", str(event_id).encode()),
        ("ce_type", b"patient.events.v1.created"),
        ("ce_source", b"/patient-portal"),
        ("ce_time", datetime.now(UTC).isoformat().encode()),
        ("content-type", b"application/protobuf"),
        ("traceparent", b"00-%032x-%016x-01" % (event_id, event_id)),
    ]


def rows(url: str, statement: str) -> Iterator[tuple]:
    connection = psycopg2.connect(url)
    try:
        with connection.cursor("rows") as cursor:
            cursor.itersize = 10_000
            cursor.execute(statement)
            yield from cursor
    finally:
        connection.close()


def copy_rows(url: str, statement: str, target: Any, table: str) -> None:
    """Copies the rows of a statement into a table of another database, through a file."""
    with tempfile.TemporaryFile() as file, session(url) as cursor:
        cursor.copy_expert(f"COPY ({statement}) TO STDOUT", file)
        file.seek(0)
        target.copy_expert(f"COPY {table} FROM STDIN", file)


@contextmanager
def session(url: str) -> Iterator[Any]:
    """Yields a cursor of a connection that commits by itself."""
    connection = psycopg2.connect(url)
    try:
        connection.autocommit = True
        yield connection.cursor()
    finally:
        connection.close()
