"""Computes every figure a second time, out of states and counted events: to compare, or to replace what is stored."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, TextClause, text
from sqlalchemy.exc import SQLAlchemyError

from analytics_stream.database import StoreAway

LONGEST_SECONDS = 300
MOST_TOLD = 100

# The rules of `folding.places` and `folding.event_counts`, told a second time on purpose: a mistake in one of the two
# shows as a difference.
COMPARED = r"""
    WITH expected (name, bucket, count) AS (
        SELECT 'events', '', count(*) FROM counted_event
        UNION ALL
        SELECT 'minute', to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24\:MI'), count(*)
        FROM counted_event GROUP BY 2
        UNION ALL
        SELECT 'quarter', to_char(date_bin('15 minutes', occurred_at AT TIME ZONE 'UTC', '2000-01-01'),
            'YYYY-MM-DD"T"HH24\:MI'), count(*)
        FROM counted_event GROUP BY 2
        UNION ALL
        SELECT place.name, place.bucket, count(*) FROM patient_state CROSS JOIN LATERAL (VALUES
            ('status', status, true),
            ('registered_on', to_char(registered_on, 'YYYY-MM-DD'), true),
            ('registered_at', to_char(registered_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24'), true),
            ('registered_minute', to_char(registered_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24\:MI'), true),
            ('sex', sex, status = 'active'),
            ('birth_year', to_char(birth_year, 'FM0000'), status = 'active'),
            ('region', region, status = 'active'),
            ('source', registered_through, status = 'active')
        ) AS place (name, bucket, is_counted)
        WHERE status <> 'deleted' AND is_counted AND bucket IS NOT NULL GROUP BY 1, 2
    ), differing AS (
        SELECT name, bucket, coalesce(figure.count, 0) AS stored, coalesce(expected.count, 0) AS expected
        FROM figure FULL JOIN expected USING (name, bucket)
        WHERE coalesce(figure.count, 0) <> coalesce(expected.count, 0)
    ), miscounted AS (
        SELECT patient_id, coalesce(counted, 0) AS stored, coalesce(taken, 0) AS expected
        FROM patient_state
        FULL JOIN (SELECT patient_id, count(*) AS taken FROM counted_event GROUP BY 1) AS inbox USING (patient_id)
        WHERE coalesce(counted, 0) <> coalesce(taken, 0)
    ), mistimed AS (
        SELECT * FROM (SELECT
            (SELECT coalesce(extract(epoch FROM occurred_at) * 1000000, 0)::bigint FROM last_event),
            (SELECT coalesce(extract(epoch FROM max(occurred_at)) * 1000000, 0)::bigint FROM counted_event)
        ) AS times (stored, expected) WHERE stored <> expected
    )
"""


def compared(statement: str) -> TextClause:
    return text(COMPARED + statement)


DIFFERENCES = compared("""
    SELECT 'last_event', 'microseconds since 1970', stored, expected FROM mistimed
    UNION ALL (SELECT * FROM differing ORDER BY name, bucket LIMIT :most)
    UNION ALL (SELECT 'counted', patient_id::text, stored, expected FROM miscounted ORDER BY patient_id LIMIT :most)
    LIMIT :most
""")
SIZES = text("SELECT (SELECT count(*) FROM counted_event), (SELECT count(*) FROM patient_state)")

# Counting starts with counted_event: it waits there until we are done, and holds nothing that we wait for.
STOP_COUNTING = text(
    "LOCK TABLE counted_event, patient_state, figure, last_event IN SHARE ROW EXCLUSIVE MODE"
)
FORGET_EVENTS = text("DELETE FROM counted_event WHERE patient_id = ANY(CAST(:patients AS uuid[]))")
FORGET_STATES = text("DELETE FROM patient_state WHERE patient_id = ANY(CAST(:patients AS uuid[]))")
FORGET_STRAY_EVENTS = text("""
    DELETE FROM counted_event WHERE NOT EXISTS (
        SELECT FROM patient_state WHERE patient_state.patient_id = counted_event.patient_id)
""")
COUNT_EVENTS = compared("""
    UPDATE patient_state SET counted = miscounted.expected,
        gap_since = CASE WHEN miscounted.expected < version THEN coalesce(gap_since, now()) END
    FROM miscounted WHERE miscounted.patient_id = patient_state.patient_id
""")
COUNT_FIGURES = compared("""
    INSERT INTO figure SELECT name, bucket, expected FROM differing ORDER BY name, bucket
    ON CONFLICT (name, bucket) DO UPDATE SET count = excluded.count
""")
FIND_LAST = text("""
    UPDATE last_event SET occurred_at = last FROM (SELECT max(occurred_at) AS last FROM counted_event) AS found
    WHERE occurred_at IS DISTINCT FROM last
""")


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure that is not what states and events say."""

    name: str
    bucket: str
    stored: int
    expected: int


@dataclass(frozen=True, slots=True)
class Finding:
    """What an audit looked at, and the first differences."""

    events: int
    patients: int
    differences: list[Difference]


def audit(engine: Engine) -> Finding:
    """Compare every figure with what states and events say, all at one moment. Raises StoreAway."""
    try:
        with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            _take_time(connection)
            differences = [
                Difference(*row) for row in connection.execute(DIFFERENCES, {"most": MOST_TOLD})
            ]
            events, patients = connection.execute(SIZES).one()
            return Finding(events, patients, differences)
    except SQLAlchemyError as error:
        raise StoreAway(type(error).__name__) from error


def recount(engine: Engine, *, forget: Sequence[str] = ()) -> int:
    """Forget these patients and replace every figure by what the others say, all or nothing; counting waits meanwhile.

    Answers how many figures and counts changed. An event of a forgotten patient counts again when it is read again.
    Raises StoreAway.
    """
    try:
        with engine.begin() as connection:
            _take_time(connection)
            connection.execute(STOP_COUNTING)
            for statement in (FORGET_EVENTS, FORGET_STATES):
                connection.execute(statement, {"patients": list(forget)})
            connection.execute(FORGET_STRAY_EVENTS)
            return sum(
                connection.execute(one).rowcount for one in (COUNT_EVENTS, COUNT_FIGURES, FIND_LAST)
            )
    except SQLAlchemyError as error:
        raise StoreAway(type(error).__name__) from error


def _take_time(connection: Connection) -> None:
    connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{LONGEST_SECONDS}s'")
