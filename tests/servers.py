"""A throw-away PostgreSQL and the environment for a run of pytest, unless DATABASE_URL names a real one.

Loaded by `-p tests.servers`, so that it is there before Django reads its settings. The workers of pytest-xdist inherit
the environment. A small watcher outside of pytest clears up when a run is killed.
"""

import os
import secrets
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from embedded.postgres import postgres

CLOSED = "127.0.0.1:1"  # Nothing listens there; a test that needs a neighbour starts its own.
CLEAR_UP = """
trap '' INT TERM
read -r ended || { kill -QUIT "$1" 2>/dev/null; sleep 2; }
rm -rf "$2"
"""
opened = ExitStack()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config, parser, args):
    """Before pytest-django, which reads the settings in this hook."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        set_environment()
    return (yield)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    opened.close()


def set_environment() -> None:
    folder = Path(
        opened.enter_context(
            tempfile.TemporaryDirectory(prefix="portal-tests-", ignore_cleanup_errors=True)
        )
    )
    folder.chmod(0o711)  # As root, PostgreSQL runs under another account and has to pass.
    for name, value in addresses(folder).items():
        os.environ.setdefault(name, value)
    if "DATABASE_URL" not in os.environ:
        os.environ.update(opened.enter_context(databases(folder / "postgres")))


def addresses(folder: Path) -> dict[str, str]:
    """Every required variable but the databases."""
    return {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "JWT_SIGNING_KEY": secrets.token_urlsafe(48),
        "DEMO_PASSWORD": secrets.token_urlsafe(12),
        "CELERY_BROKER_URL": "memory://",
        "KAFKA_BOOTSTRAP_SERVERS": CLOSED,
        "BILLING_GRPC_ADDRESS": CLOSED,
        "ANALYTICS_URL": f"http://{CLOSED}",
        "PORTAL_DATA_DIR": str(folder),
    }


@contextmanager
def databases(data: Path) -> Iterator[dict[str, str]]:
    """The three database URLs. Each role may create databases, as a test database needs it."""
    with (
        postgres(data, password=secrets.token_hex(16), throw_away=True) as server,
        watched(server.pid, data),
    ):

        def url(name: str) -> str:
            return server.give_database(
                name, user=name, password=secrets.token_hex(16), may_create_databases=True
            )

        yield {
            "DATABASE_URL": url("portal"),
            "BILLING_DATABASE_URL": url("billing"),
            "ANALYTICS_DATABASE_URL": url("analytics"),
        }


@contextmanager
def watched(pid: int, data: Path) -> Iterator[None]:
    """When we die in any way, our end of the pipe closes, and the watcher ends the server and removes its folder."""
    command = ["/bin/sh", "-c", CLEAR_UP, "watch", str(pid), str(data.parent)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, text=True, start_new_session=True
    ) as watcher:
        yield
        watcher.communicate("ended\n")
