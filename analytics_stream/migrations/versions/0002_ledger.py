"""Counted events by patient, the number of counted events of each patient, and the read offsets.

The counts are dropped: a worker without offsets reads the topic from its beginning and counts it
again.
"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("DROP TABLE counted_event")
    op.execute("""
        CREATE TABLE counted_event (
            patient_id uuid,
            event_id bigint,
            occurred_at timestamptz NOT NULL,
            PRIMARY KEY (patient_id, event_id)
        )
    """)
    _forget()
    op.execute("ALTER TABLE patient_state ADD counted bigint NOT NULL, ADD gap_since timestamptz")
    # By gap_since and not by counted < version, because those two change with every event, and each
    # update would touch the index.
    op.execute(
        "CREATE INDEX patient_state_gaps ON patient_state (gap_since, patient_id) "
        "WHERE gap_since IS NOT NULL"
    )
    op.execute("""
        CREATE TABLE read_offset (
            topic text,
            partition integer,
            next_offset bigint NOT NULL,
            PRIMARY KEY (topic, partition)
        ) WITH (fillfactor = 50)
    """)


def downgrade() -> None:
    op.execute("DROP TABLE read_offset, counted_event")
    op.execute("CREATE TABLE counted_event (event_id bigint PRIMARY KEY)")
    op.execute("ALTER TABLE patient_state DROP counted, DROP gap_since")
    _forget()


def _forget() -> None:
    op.execute("TRUNCATE patient_state, figure")
    op.execute("UPDATE last_event SET occurred_at = NULL")
