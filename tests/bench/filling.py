"""Fills every store directly, as after years of work: many patients, a fifth of them changed."""

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg2
from confluent_kafka import Consumer, Producer, TopicPartition
from faust.types import TP

from analytics_stream.topic_fingerprint import read_fingerprints
from portal.patients.fields import RECORDED
from protos.patient.events.v1.patient_event_pb2 import PatientEvent
from tests.bench.names import FAMILIES, GIVEN, rare_names

COPIED = [*RECORDED, "id", "created_at", "updated_at"]
# One or two of a hundred people bear the most common name, as in reality.
NAMES = """
    SELECT setseed(0.5);
    CREATE TEMP TABLE family_names AS
    SELECT at, name FROM unnest(%(family)s::text[]) WITH ORDINALITY AS row (name, at);
    CREATE TEMP TABLE given_names AS
    SELECT at, name FROM unnest(%(given)s::text[]) WITH ORDINALITY AS row (name, at);
"""
# A fifth was changed once, one of fifty is archived.
PATIENTS = """
    WITH people AS MATERIALIZED (
        SELECT n, 1 + floor(%(families)s * power(random(), 2.3))::int AS family,
            1 + floor(%(givens)s * power(random(), 2.3))::int AS given,
            1 + floor(%(givens)s * power(random(), 2.3))::int AS middle,
            random() < 0.4 AS has_middle,
            date '1930-01-01' + floor(random() * 34000)::int AS born,
            200 + floor(random() * 700)::int AS exchange,
            lpad(floor(random() * 10000)::text, 4, '0') AS line,
            floor(random() * 3650)::int AS days
        FROM generate_series(1, %(count)s) AS n)
    INSERT INTO patients_patient (
        version, status, family_name, given_name, middle_name, date_of_birth, sex, email, phone,
        phone_e164, address_line1, city, region, postal_code, country, registered_on)
    SELECT 1 + (n %% 5 = 0)::int, CASE WHEN n %% 50 = 0 THEN 'archived' ELSE 'active' END,
        family_names.name, given_names.name,
        CASE WHEN has_middle THEN middle_names.name ELSE '' END, born,
        CASE WHEN n %% 1000 = 0 THEN 'other' WHEN n %% 2 = 0 THEN 'female' ELSE 'male' END,
        'person' || n || '@mail.example', format('617 %%s %%s', exchange, line),
        format('+1617%%s%%s', exchange, line), n %% 200 || ' Mill Lane',
        (ARRAY['Boston', 'Salem', 'Lowell', 'Quincy'])[1 + n %% 4],
        (ARRAY['Massachusetts', 'Maine', 'Vermont'])[1 + n %% 3],
        lpad((n %% 3000)::text, 5, '0'), 'US', current_date - days
    FROM people
    JOIN family_names ON family_names.at = family
    JOIN given_names ON given_names.at = given
    JOIN given_names AS middle_names ON middle_names.at = middle
"""
IDENTIFIERS = """
    INSERT INTO patients_patientidentifier (patient_id, system, value)
    SELECT id, system,
        CASE system WHEN 'ssn' THEN '' ELSE 'X' END
            || 100000000 + (hashtext(id::text || system)::bigint + 2147483648) % 900000000
    FROM patients_patient, unnest(ARRAY['ssn', 'passport']) AS system
    ON CONFLICT DO NOTHING
"""
WORDS = """
    INSERT INTO patients_nameword (word)
    SELECT DISTINCT unnest(tsvector_to_array(name_words)) FROM patients_patient
    ON CONFLICT DO NOTHING
"""
LOG = f"""
    INSERT INTO patients_patientevent (
        pgh_obj_id, pgh_created_at, pgh_label, pgh_context, version, {", ".join(COPIED)})
    SELECT p.id, now(), CASE v.version WHEN 1 THEN 'insert' ELSE 'update' END,
        jsonb_build_object('user', 1, 'source', 'command'), v.version,
        {", ".join(f"p.{name}" for name in COPIED)}
    FROM patients_patient AS p
    CROSS JOIN LATERAL generate_series(1, p.version) AS v (version)
    WHERE NOT EXISTS (SELECT FROM patients_patientevent WHERE pgh_obj_id = p.id)
    ORDER BY p.id, v.version;
    INSERT INTO billing_billingaccount (
        patient_id, status, account_id, wanted_version, synced_version, next_attempt_at)
    SELECT id, CASE status WHEN 'active' THEN 'active' ELSE 'closed' END,
        'BA-' || to_char(row_number() OVER (ORDER BY id), 'FM000000000'), version, version, NULL
    FROM patients_patient ON CONFLICT DO NOTHING;
    INSERT INTO patients_identifierchange (patient_id, version, is_added, system, value)
    SELECT patient_id, 1, true, system, value FROM patients_patientidentifier AS held
    WHERE NOT EXISTS (
        SELECT FROM patients_identifierchange AS known WHERE known.patient_id = held.patient_id);
"""
# Half of the patients were opened once, and lists of fifty showed each of them.
ACCESS = """
    INSERT INTO patients_accessrecord (user_id, action, door, request_id, patient_ids)
    SELECT (SELECT min(id) FROM accounts_user), 'open', 'portal', md5(id::text), ARRAY[id]
    FROM patients_patient WHERE hashtext(id::text) % 2 = 0;
    INSERT INTO patients_accessrecord (user_id, action, door, request_id, patient_ids)
    SELECT (SELECT min(id) FROM accounts_user), 'list', 'portal', md5(number::text),
        array_agg(id)
    FROM (SELECT id, row_number() OVER () / 50 AS number FROM patients_patient) AS numbered
    GROUP BY number;
"""
FILLED = (
    "patients_patient",
    "patients_patientidentifier",
    "patients_identifierchange",
    "patients_patientevent",
    "patients_accessrecord",
    "billing_billingaccount",
)
INDEXES = """
    SELECT format('%%I', indexname), indexdef FROM pg_indexes
    WHERE tablename = ANY(%s) AND NOT EXISTS (
        SELECT FROM pg_constraint WHERE conindid = format('%%I', indexname)::regclass)
"""
BILLING = """
    INSERT INTO billing_account (number, patient_id, name, email, patient_version, closed_at)
    OVERRIDING SYSTEM VALUE
    SELECT row_number() OVER (ORDER BY patient), patient, 'Given Family', '', version,
        CASE status WHEN 'active' THEN NULL ELSE now() END FROM people;
    SELECT setval(pg_get_serial_sequence('billing_account', 'number'), max(number))
    FROM billing_account;
    ANALYZE;
"""
ANALYTICS = """
    INSERT INTO counted_event SELECT patient, event_id, at FROM events;
    INSERT INTO patient_state (
        patient_id, version, event_id, status, sex, birth_year, region, registered_on,
        registered_through, registered_at, counted)
    SELECT patient, max(version), max(event_id), max(status), max(sex), max(birth_year),
        max(region), max(registered_on), 'command', min(at), count(*)
    FROM events GROUP BY patient;
    ANALYZE;
"""
EVENTS = """
    SELECT pgh_id, pgh_obj_id::text, version, status, pgh_created_at
    FROM patients_patientevent ORDER BY pgh_id
"""
STATES = """
    SELECT pgh_id, pgh_obj_id, version, status, pgh_created_at, sex,
        coalesce(extract(year FROM date_of_birth)::int, 0), region, registered_on
    FROM patients_patientevent
"""
# The triggers that fill columns of the row itself: without them no phone would be found.
COMPUTING = """
    SELECT tgrelid::regclass::text, tgname FROM pg_trigger
    WHERE tgrelid = ANY(%s::regclass[]) AND tgname LIKE 'pgtrigger_compute%%'
"""


def fill_patients(cursor: Any, count: int) -> None:
    """Inserts patients with identifiers and vocabulary, the same names and dates every time.

    The triggers have to be off but for those that compute columns: nothing goes into the log.
    """
    rare = rare_names(20_000)
    family, given = [*FAMILIES, *rare], [*GIVEN, *rare[:3000]]
    cursor.execute(NAMES, {"family": family, "given": given})
    sizes = {"count": count, "families": len(family), "givens": len(given)}
    cursor.execute(PATIENTS, sizes)
    cursor.execute("ANALYZE patients_patient")
    cursor.execute(IDENTIFIERS)
    cursor.execute(WORDS)


def fill_portal(url: str, count: int) -> None:
    """Inserts patients, their log, accounts and who looked at them.

    With the superuser's `url` it takes less time, as nothing checks foreign keys.
    """
    with session(url) as cursor:
        with triggers_off(cursor, FILLED), indexes_off(cursor, FILLED):
            fill_patients(cursor, count)
            cursor.execute(LOG)
            cursor.execute(ACCESS)
        cursor.execute("VACUUM ANALYZE")


@contextmanager
def triggers_off(cursor: Any, tables: Sequence[str]) -> Iterator[None]:
    """Turns all triggers off, but for those that compute columns of the row."""
    cursor.execute(
        "SELECT CASE current_setting('is_superuser') WHEN 'on' THEN 'ALL' ELSE 'USER' END"
    )
    [which] = cursor.fetchone()
    for table in tables:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {which}")
    cursor.execute(COMPUTING, [list(tables)])
    for table, trigger in cursor.fetchall():
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {trigger}")
    yield
    for table in tables:
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {which}")


@contextmanager
def indexes_off(cursor: Any, tables: Sequence[str]) -> Iterator[None]:
    """Builds the indexes behind the block anew, which takes a fraction of the time."""
    cursor.execute(INDEXES, [list(tables)])
    indexes = cursor.fetchall()
    for name, _ in indexes:
        cursor.execute(f"DROP INDEX {name}")
    yield
    cursor.execute("SET maintenance_work_mem = '256MB'")
    for _, definition in indexes:
        cursor.execute(definition)


def fill_billing(portal: str, billing: str) -> None:
    with session(billing) as cursor:
        cursor.execute("CREATE TEMP TABLE people (patient uuid, version bigint, status text)")
        copy_rows(portal, "SELECT id, version, status FROM patients_patient", cursor, "people")
        cursor.execute(BILLING)


def fill_analytics(portal: str, analytics: str) -> None:
    with session(analytics) as cursor:
        cursor.execute(
            "CREATE TEMP TABLE events"
            " (event_id bigint, patient uuid, version bigint, status text, at timestamptz,"
            " sex text, birth_year int, region text, registered_on date)"
        )
        copy_rows(portal, STATES, cursor, "events")
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
