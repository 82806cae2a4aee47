"""A running system for each test file that asks for it."""

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import setup_databases, teardown_databases

from tests.portal.reconciliation.running_system import running_system


@pytest.fixture(scope="module")
def system(django_db_setup, django_db_blocker, tmp_path_factory):
    """A running system; what a test writes stays for the next one, as it does in a clinic."""
    with django_db_blocker.unblock():
        databases = (
            []
            if has_test_database()
            else setup_databases(0, interactive=False, aliases={"default"})
        )
        try:
            with running_system(tmp_path_factory.mktemp("system")) as running:
                yield running
        finally:
            call_command("flush", interactive=False, verbosity=0)
            teardown_databases(databases, 0)


def has_test_database() -> bool:
    """Tells whether pytest-django has made it: it does so for a test that is marked to use one."""
    return connection.settings_dict["NAME"].startswith("test_")
