"""Brings the database up to this version of the code."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

MIGRATIONS = Path(__file__).with_name("migrations")
LOCK = 0x62696C6C  # "bill": any number that no other advisory lock of this database has.


def migrate(url: sa.URL) -> str:
    """Runs every migration that is missing, in one transaction; returns the revision.

    Of two at once the second waits, and finds it done. Raises sqlalchemy.exc.OperationalError when
    the database is away.
    """
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    engine = sa.create_engine(
        url, poolclass=sa.NullPool, hide_parameters=True, connect_args={"connect_timeout": 10}
    )
    with engine.begin() as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return str(ScriptDirectory.from_config(config).get_current_head())
