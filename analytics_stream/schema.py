"""Brings the database up to this version of the code."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

MIGRATIONS = Path(__file__).with_name("migrations")
LOCK = 0x666967  # "fig": any number that no other advisory lock in this database uses.
OLDEST_SERVER = 180000  # Older ones lack RETURNING old and new, see statements.UPSERT_STATES.


class TooOld(Exception):
    """The PostgreSQL server is older than this code can use."""


def migrate(url: sa.URL) -> str:
    """Runs every missing migration in one transaction; a second run at the same time waits.

    Returns the revision that the database has now. Raises sqlalchemy.exc.OperationalError when the
    database is away, and TooOld.
    """
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    engine = sa.create_engine(
        url, poolclass=sa.NullPool, hide_parameters=True, connect_args={"connect_timeout": 10}
    )
    with engine.begin() as connection:
        if int(connection.execute(sa.text("SHOW server_version_num")).scalar_one()) < OLDEST_SERVER:
            raise TooOld
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return str(ScriptDirectory.from_config(config).get_current_head())
