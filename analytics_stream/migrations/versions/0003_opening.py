"""What each partition began with, so that a topic that was made anew is told from the one that was counted.

Partitions that were read before are read once more from their beginning, which changes no figure.
"""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("ALTER TABLE read_offset ADD opening bytea")


def downgrade() -> None:
    op.execute("ALTER TABLE read_offset DROP opening")
