"""Takes accounts of older clients, whose ids of patients are no UUIDs."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("""
        ALTER TABLE billing_account
            ALTER COLUMN patient_id DROP NOT NULL,
            ADD COLUMN client_patient_id text,
            ADD CONSTRAINT billing_account_one_for_each_client_patient UNIQUE (client_patient_id),
            ADD CONSTRAINT billing_account_of_one_patient
                CHECK (num_nonnulls(patient_id, client_patient_id) = 1),
            ADD CONSTRAINT billing_account_client_patient_id_is_given
                CHECK (client_patient_id <> '')
    """)


def downgrade() -> None:
    """Fails where an older client has an account: its patient has no UUID to put in its place."""
    op.execute("""
        ALTER TABLE billing_account
            DROP CONSTRAINT billing_account_of_one_patient,
            ALTER COLUMN patient_id SET NOT NULL,
            DROP COLUMN client_patient_id
    """)
