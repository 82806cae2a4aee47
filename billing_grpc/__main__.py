"""`python -m billing_grpc serve` runs the server, `migrate` brings its database up to date."""

import argparse
import gc
import os
import sys

# structlog would load it for lines on a terminal, 5 MB.
sys.modules["rich"] = None  # type: ignore[assignment]

# The C core of gRPC would mix lines of its own into the JSON log.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from billing_grpc.config import (  # noqa: E402 - Rich has to be hidden before.
    Config,
    WrongConfig,
    read_config,
)
from billing_grpc.logs import log_as_json  # noqa: E402 - It loads structlog.

COLLECTED_OBJECTS = 50_000  # Made between two collections of garbage; 500 accounts make half of it.


def main() -> int:
    """Returns 0 when all went well, 1 when it could not be done, 2 for a wrong environment."""
    parser = argparse.ArgumentParser(prog="python -m billing_grpc", description=__doc__)
    parser.add_argument("command", choices=("serve", "migrate"))
    command = parser.parse_args().command
    try:
        config = read_config(os.environ)
    except WrongConfig as error:
        return _refuse(error, code=2)
    log_as_json(config.log_level)
    return _serve(config) if command == "serve" else _migrate(config)


def _serve(config: Config) -> int:
    from billing_grpc.server import CannotListen, serve

    gc.freeze()  # Collections need not look through all that was loaded.
    gc.set_threshold(COLLECTED_OBJECTS)
    try:
        serve(config)
    except CannotListen as error:
        return _refuse(error, code=1)
    return 0


def _migrate(config: Config) -> int:
    from sqlalchemy.exc import OperationalError

    from billing_grpc.schema import migrate

    try:
        revision = migrate(config.database_url)
    except OperationalError as error:
        cause = str(error.orig).strip()
        return _refuse(f"the database of BILLING_DATABASE_URL does not answer: {cause}", code=1)
    print(f"billing: the database is at revision {revision}")
    return 0


def _refuse(reason: object, *, code: int) -> int:
    print(f"billing: {reason}", file=sys.stderr)
    return code


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # sys.exit would wait for every thread, and one may hang on a database that does not answer.
    os._exit(code)
