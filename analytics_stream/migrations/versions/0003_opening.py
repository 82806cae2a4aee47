"""The fingerprint of each partition's first message, by which a replaced topic is found.

Partitions that were read before are read once more from their beginning, which changes no figure.
"""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("ALTER TABLE read_offset ADD opening bytea")


def downgrade() -> None:
    op.execute("ALTER TABLE read_offset DROP opening")
