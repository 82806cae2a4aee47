"""A whole system for each file that asks for it."""

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import setup_databases, teardown_databases

from tests.portal.reconciliation.running_system import whole


@pytest.fixture(scope="module")
def system(django_db_setup, django_db_blocker, tmp_path_factory):
    """What a test of the file writes stays for the next one, as it does in a clinic."""
    with django_db_blocker.unblock():
        made = [] if is_made() else setup_databases(0, interactive=False, aliases={"default"})
        try:
            with whole(tmp_path_factory.mktemp("system")) as running:
                yield running
        finally:
            call_command("flush", interactive=False, verbosity=0)
            teardown_databases(made, 0)


def is_made() -> bool:
    """pytest-django makes the test's database only where a test is marked to use one; ours come without the mark."""
    return connection.settings_dict["NAME"].startswith("test_")
