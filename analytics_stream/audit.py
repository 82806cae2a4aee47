"""Computes every figure again from states and counted events, to compare or replace them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, TextClause, text
from sqlalchemy.exc import SQLAlchemyError

from analytics_stream.database import StoreAway

TIMEOUT_SECONDS = 300  # PostgreSQL ends a statement of an audit that takes longer.
MOST_DIFFERENCES = 100  # An audit reports no more.

# The rules of `folding.places` and `folding.event_counts` are written a second time on purpose:
# a mistake in one of the two shows as a difference.
EXPECTED_COUNTS = r"""
    WITH expected (name, bucket, count) AS (
        SELECT 'events', '', count(*) FROM counted_event
        UNION ALL
        SELECT 'minute', to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24\:MI'), count(*)
        FROM counted_event GROUP BY 2
        UNION ALL
        SELECT 'quarter', to_char(
            date_bin('15 minutes', occurred_at AT TIME ZONE 'UTC', '2000-01-01'),
            'YYYY-MM-DD"T"HH24\:MI'), count(*)
        FROM counted_event GROUP BY 2
        UNION ALL
        SELECT place.name, place.bucket, count(*) FROM patient_state
        CROSS JOIN LATERAL (SELECT registered_at AT TIME ZONE 'UTC') AS utc (registered_at)
        CROSS JOIN LATERAL (VALUES
            ('status', status, true),
            ('registered_on', to_char(registered_on, 'YYYY-MM-DD'), true),
            ('registered_at', to_char(utc.registered_at, 'YYYY-MM-DD"T"HH24'), true),
            ('registered_minute', to_char(utc.registered_at, 'YYYY-MM-DD"T"HH24\:MI'), true),
            ('sex', sex, status = 'active'),
            ('birth_year', to_char(birth_year, 'FM0000'), status = 'active'),
            ('region', region, status = 'active'),
            ('source', registered_through, status = 'active')
        ) AS place (name, bucket, is_counted)
        WHERE status <> 'deleted' AND is_counted AND bucket IS NOT NULL GROUP BY 1, 2
    ), differing AS (
        SELECT name, bucket, coalesce(figure.count, 0) AS stored,
            coalesce(expected.count, 0) AS expected
        FROM figure FULL JOIN expected USING (name, bucket)
        WHERE coalesce(figure.count, 0) <> coalesce(expected.count, 0)
    ), miscounted AS (
        SELECT patient_id, coalesce(counted, 0) AS stored, coalesce(taken, 0) AS expected
        FROM patient_state
        FULL JOIN (
            SELECT patient_id, count(*) AS taken FROM counted_event GROUP BY 1
        ) AS inbox USING (patient_id)
        WHERE coalesce(counted, 0) <> coalesce(taken, 0)
    ), mistimed AS (
        SELECT * FROM (SELECT
            (SELECT coalesce(extract(epoch FROM occurred_at) * 1000000, 0)::bigint
             FROM last_event),
            (SELECT coalesce(extract(epoch FROM max(occurred_at)) * 1000000, 0)::bigint
             FROM counted_event)
        ) AS times (stored, expected) WHERE stored <> expected
    )
"""


def with_expected_counts(statement: str) -> TextClause:
    """Returns the statement with `differing`, `miscounted` and `mistimed` to select from."""
    return text(EXPECTED_COUNTS + statement)


SELECT_DIFFERENCES = with_expected_counts("""
    SELECT 'last_event', 'microseconds since 1970', stored, expected FROM mistimed
    UNION ALL (SELECT * FROM differing ORDER BY name, bucket LIMIT :most)
    UNION ALL (
        SELECT 'counted', patient_id::text, stored, expected
        FROM miscounted ORDER BY patient_id LIMIT :most
    )
    LIMIT :most
""")
SELECT_SIZES = text(
    "SELECT (SELECT count(*) FROM counted_event), (SELECT count(*) FROM patient_state)"
)

# Counting starts with counted_event: it waits there until the recount is done, and holds nothing
# that the recount waits for.
LOCK_TABLES = text(
    "LOCK TABLE counted_event, patient_state, figure, last_event IN SHARE ROW EXCLUSIVE MODE"
)
DELETE_EVENTS = text("DELETE FROM counted_event WHERE patient_id = ANY(CAST(:patients AS uuid[]))")
DELETE_STATES = text("DELETE FROM patient_state WHERE patient_id = ANY(CAST(:patients AS uuid[]))")
DELETE_STRAY_EVENTS = text("""
    DELETE FROM counted_event WHERE NOT EXISTS (
        SELECT FROM patient_state WHERE patient_state.patient_id = counted_event.patient_id)
""")
UPDATE_COUNTED = with_expected_counts("""
    UPDATE patient_state SET counted = miscounted.expected,
        gap_since = CASE WHEN miscounted.expected < version THEN coalesce(gap_since, now()) END
    FROM miscounted WHERE miscounted.patient_id = patient_state.patient_id
""")
UPDATE_FIGURES = with_expected_counts("""
    INSERT INTO figure SELECT name, bucket, expected FROM differing ORDER BY name, bucket
    ON CONFLICT (name, bucket) DO UPDATE SET count = excluded.count
""")
UPDATE_LAST_EVENT = text("""
    UPDATE last_event SET occurred_at = last
    FROM (SELECT max(occurred_at) AS last FROM counted_event) AS found
    WHERE occurred_at IS DISTINCT FROM last
""")


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure that differs from what states and events give."""

    name: str
    bucket: str
    stored: int
    expected: int


@dataclass(frozen=True, slots=True)
class AuditResult:
    """The numbers of events and patients that an audit compared, and the first differences."""

    events: int
    patients: int
    differences: list[Difference]


def audit(engine: Engine) -> AuditResult:
    """Compares every figure with states and events, all at one moment. Raises StoreAway."""
    try:
        with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            _extend_timeout(connection)
            rows = connection.execute(SELECT_DIFFERENCES, {"most": MOST_DIFFERENCES})
            differences = [Difference(*row) for row in rows]
            events, patients = connection.execute(SELECT_SIZES).one()
            return AuditResult(events, patients, differences)
    except SQLAlchemyError as error:
        raise StoreAway(type(error).__name__) from error


def recount(engine: Engine, *, forget: Sequence[str] = ()) -> int:
    """Forgets these patients and computes every figure from the others, all or nothing.

    Returns how many figures and counts changed. Counting waits meanwhile. An event of a forgotten
    patient counts again when it is read again. Raises StoreAway.
    """
    try:
        with engine.begin() as connection:
            _extend_timeout(connection)
            connection.execute(LOCK_TABLES)
            for statement in (DELETE_EVENTS, DELETE_STATES):
                connection.execute(statement, {"patients": list(forget)})
            connection.execute(DELETE_STRAY_EVENTS)
            updates = (UPDATE_COUNTED, UPDATE_FIGURES, UPDATE_LAST_EVENT)
            return sum(connection.execute(update).rowcount for update in updates)
    except SQLAlchemyError as error:
        raise StoreAway(type(error).__name__) from error


def _extend_timeout(connection: Connection) -> None:
    connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{TIMEOUT_SECONDS}s'")
