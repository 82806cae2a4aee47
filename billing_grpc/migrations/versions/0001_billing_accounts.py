"""Creates the table of accounts, with one for each patient."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE billing_account (
            number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            patient_id uuid NOT NULL,
            name text NOT NULL,
            email text NOT NULL,
            patient_version bigint NOT NULL,
            opened_at timestamptz NOT NULL DEFAULT now(),
            closed_at timestamptz,
            CONSTRAINT billing_account_one_for_each_patient UNIQUE (patient_id),
            CONSTRAINT billing_account_name_is_given CHECK (name <> ''),
            CONSTRAINT billing_account_version_is_not_negative CHECK (patient_version >= 0)
        )
    """)


def downgrade() -> None:
    op.execute("DROP TABLE billing_account")
