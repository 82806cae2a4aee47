"""The SQL of the figures' database.

All rows are locked in one order, table by table and sorted by key, so that two workers cannot wait
for each other.
"""

from sqlalchemy import text

# Returns only what was counted before: most batches have nothing of it, and need no answer.
INSERT_EVENTS = text("""
    WITH read AS (
        SELECT * FROM unnest(
            CAST(:patient_ids AS uuid[]), CAST(:event_ids AS bigint[]),
            CAST(:times AS timestamptz[])
        ) AS read (patient_id, event_id, occurred_at)
    ), new AS (
        INSERT INTO counted_event (patient_id, event_id, occurred_at)
        SELECT * FROM read ORDER BY patient_id, event_id
        ON CONFLICT DO NOTHING
        RETURNING patient_id, event_id
    )
    SELECT patient_id::text, event_id FROM read
    WHERE (patient_id, event_id) NOT IN (SELECT patient_id, event_id FROM new)
""")
# The rule of `folding.latest` in SQL; `old` and `new` in RETURNING came with PostgreSQL 18. Returns
# the old state of each patient that had one.
UPSERT_STATES = text("""
    WITH written AS (
        INSERT INTO patient_state AS stored
        SELECT *, CASE WHEN counted < version THEN now() END FROM unnest(
            CAST(:patient_id AS uuid[]), CAST(:version AS bigint[]), CAST(:event_id AS bigint[]),
            CAST(:status AS text[]), CAST(:sex AS text[]), CAST(:birth_year AS integer[]),
            CAST(:region AS text[]), CAST(:registered_on AS date[]),
            CAST(:registered_through AS text[]), CAST(:registered_at AS timestamptz[]),
            CAST(:counted AS bigint[])
        ) AS read (patient_id, version, event_id, status, sex, birth_year, region, registered_on,
            registered_through, registered_at, counted) ORDER BY patient_id
        ON CONFLICT (patient_id) DO UPDATE SET
            (version, event_id, status, sex, birth_year, region, registered_on,
             registered_through) = (
                SELECT * FROM (VALUES
                    (stored.version, stored.event_id, stored.status, stored.sex, stored.birth_year,
                     stored.region, stored.registered_on, stored.registered_through),
                    (excluded.version, excluded.event_id, excluded.status, excluded.sex,
                     excluded.birth_year, excluded.region, excluded.registered_on,
                     excluded.registered_through)
                ) AS state (version, event_id) ORDER BY version DESC, event_id DESC LIMIT 1
            ),
            registered_at = least(stored.registered_at, excluded.registered_at),
            counted = stored.counted + excluded.counted,
            gap_since = CASE WHEN stored.counted + excluded.counted
                < greatest(stored.version, excluded.version)
                THEN coalesce(stored.gap_since, now()) END
        RETURNING new.patient_id::text, old.version, old.event_id, old.status, old.sex,
            old.birth_year, old.region, old.registered_on, old.registered_through, old.registered_at
    )
    SELECT * FROM written WHERE version IS NOT NULL
""")
UPSERT_OFFSETS = text("""
    INSERT INTO read_offset AS stored
    SELECT * FROM unnest(
        CAST(:topics AS text[]), CAST(:partitions AS integer[]), CAST(:offsets AS bigint[]),
        CAST(:fingerprints AS bytea[])
    ) AS read (topic, partition) ORDER BY topic, partition
    ON CONFLICT (topic, partition) DO UPDATE SET
        next_offset = greatest(stored.next_offset, excluded.next_offset),
        opening = coalesce(excluded.opening, stored.opening)
    RETURNING new.topic, new.partition, old.next_offset
""")
DELETE_OFFSET = text("DELETE FROM read_offset WHERE topic = :topic AND partition = :partition")
SELECT_OFFSETS = text("SELECT topic, partition, next_offset, opening FROM read_offset")
ADD_COUNTS = text("""
    INSERT INTO figure AS stored (name, bucket, count)
    SELECT * FROM unnest(
        CAST(:names AS text[]), CAST(:buckets AS text[]), CAST(:steps AS bigint[])
    ) AS step (name, bucket) ORDER BY name, bucket
    ON CONFLICT (name, bucket) DO UPDATE SET count = stored.count + excluded.count
""")
UPDATE_LAST_EVENT = text("UPDATE last_event SET occurred_at = greatest(occurred_at, :occurred_at)")
SELECT_COUNTS = text("""
    SELECT name, bucket, count FROM figure
    WHERE count <> 0 AND (
        name IN ('status', 'events', 'birth_year', 'sex', 'source')
        OR name = 'registered_on' AND bucket BETWEEN :first_day AND :last_day
        OR name = 'registered_at' AND bucket BETWEEN :first_hour AND :last_hour
        OR name = 'registered_minute' AND bucket BETWEEN :first_registration AND :last_registration
        OR name = 'minute' AND bucket BETWEEN :first_minute AND :last_minute)
    UNION ALL
    SELECT 'event_hour', left(bucket, 13), sum(count)::bigint FROM figure
    WHERE name = 'quarter' AND bucket BETWEEN :first_event_hour AND :now GROUP BY 2
    UNION ALL
    SELECT 'event_day',
        (CAST(:days AS text[]))[width_bucket(bucket, CAST(:firsts AS text[]) COLLATE "C")],
        sum(count)::bigint
    FROM figure WHERE name = 'quarter' AND bucket BETWEEN :first_quarter AND :now GROUP BY 2
    UNION ALL
    (SELECT name, bucket, count FROM figure WHERE name = 'region' AND count <> 0
     ORDER BY count DESC, bucket LIMIT :regions)
""")
SELECT_LAST_EVENT = text("SELECT occurred_at FROM last_event")
