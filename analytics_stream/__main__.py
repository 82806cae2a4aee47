"""`python -m analytics_stream worker` runs the stream processor, `... migrate` updates its
database."""

import argparse
import os
import sys

# structlog would load it for lines on a terminal, 5 MB.
sys.modules["rich"] = None  # type: ignore[assignment]

from analytics_stream.config import (  # noqa: E402 - Rich has to be hidden before.
    Config,
    WrongConfig,
    read_config,
    read_database_url,
    read_log_level,
)
from analytics_stream.logs import log_as_json  # noqa: E402 - It loads structlog.


def main() -> int:
    """Returns 0 on success, 1 on failure, 2 when the environment is wrong."""
    parser = argparse.ArgumentParser(prog="python -m analytics_stream", description=__doc__)
    parser.add_argument("command", choices=("worker", "migrate"))
    command = parser.parse_args().command
    try:
        log_as_json(read_log_level(os.environ))
        return _run_worker(read_config(os.environ)) if command == "worker" else _migrate()
    except WrongConfig as wrong:
        return _fail(wrong, code=2)


def _run_worker(config: Config) -> int:
    from analytics_stream.app import run

    try:
        return run(config)
    except OSError:
        return _fail(
            f"cannot listen on {config.host}:{config.port}. Set ANALYTICS_PORT to a free port.",
            code=1,
        )


def _migrate() -> int:
    from sqlalchemy.exc import OperationalError

    from analytics_stream.schema import TooOld, migrate

    try:
        revision = migrate(read_database_url(os.environ))
    except OperationalError as away:
        return _fail(
            f"the database of ANALYTICS_DATABASE_URL does not answer: {str(away.orig).strip()}",
            code=1,
        )
    except TooOld:
        return _fail("ANALYTICS_DATABASE_URL must name PostgreSQL 18 or newer.", code=1)
    print(f"analytics: the database is at revision {revision}")
    return 0


def _fail(reason: object, *, code: int) -> int:
    print(f"analytics: {reason}", file=sys.stderr)
    return code


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Not sys.exit: that waits for every thread, and a thread may hang on a silent database.
    os._exit(code)
