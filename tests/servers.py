"""Runs a throw-away PostgreSQL for a run of pytest and sets the environment, unless DATABASE_URL
names a server.

It is loaded by `-p tests.servers`, before Django reads its settings. The workers of pytest-xdist
inherit the environment. A small watcher process outside of pytest cleans up when a run is killed.
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

CLOSED = "127.0.0.1:1"  # Nothing listens there; a test that needs a service starts its own.
CLEAN_UP = """
trap '' INT TERM
read -r ended || { kill -QUIT "$1" 2>/dev/null; sleep 2; }
rm -rf "$2"
"""
resources = ExitStack()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config, parser, args):
    """Sets the environment before pytest-django, which reads the settings in this hook."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        set_environment()
    return (yield)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    resources.close()


def set_environment() -> None:
    temporary = tempfile.TemporaryDirectory(prefix="portal-tests-", ignore_cleanup_errors=True)
    folder = Path(resources.enter_context(temporary))
    folder.chmod(0o711)  # As root, PostgreSQL runs under another account and has to pass.
    for name, value in required_variables(folder).items():
        os.environ.setdefault(name, value)
    if "DATABASE_URL" not in os.environ:
        os.environ.update(resources.enter_context(run_databases(folder / "postgres")))


def required_variables(folder: Path) -> dict[str, str]:
    """Returns every required variable except those of the databases."""
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
def run_databases(data: Path) -> Iterator[dict[str, str]]:
    """Yields the three database URLs. Each role may create databases, which a test run needs."""
    with (
        postgres(data, password=secrets.token_hex(16), throw_away=True) as server,
        watch_server(server.pid, data),
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
def watch_server(pid: int, data: Path) -> Iterator[None]:
    """Starts the watcher. It ends the server and removes its folder when our end of the pipe closes
    without a word, which happens when pytest is killed."""
    command = ["/bin/sh", "-c", CLEAN_UP, "watch", str(pid), str(data.parent)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, text=True, start_new_session=True
    ) as watcher:
        yield
        watcher.communicate("ended\n")
