"""The counted events, the latest state of each patient, and the counts."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute("CREATE TABLE counted_event (event_id bigint PRIMARY KEY)")
    op.execute("""
        CREATE TABLE patient_state (
            patient_id uuid PRIMARY KEY,
            version bigint NOT NULL,
            event_id bigint NOT NULL,
            status text NOT NULL,
            sex text NOT NULL,
            birth_year integer NOT NULL,
            region text NOT NULL,
            registered_on date,
            registered_through text NOT NULL,
            registered_at timestamptz
        ) WITH (fillfactor = 90)
    """)
    op.execute("""
        CREATE TABLE figure (
            name text COLLATE "C",
            bucket text COLLATE "C",
            count bigint NOT NULL,
            PRIMARY KEY (name, bucket)
        ) WITH (fillfactor = 50)
    """)
    op.execute("CREATE TABLE last_event (occurred_at timestamptz)")
    op.execute("INSERT INTO last_event DEFAULT VALUES")


def downgrade() -> None:
    op.execute("DROP TABLE last_event, figure, patient_state, counted_event")
