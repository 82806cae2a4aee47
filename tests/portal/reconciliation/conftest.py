"""A whole system for each file that asks for it."""

import pytest
from django.core.management import call_command

from tests.portal.reconciliation.standing import whole


@pytest.fixture(scope="module")
def system(django_db_setup, django_db_blocker, tmp_path_factory):
    """What a test of the file writes stays for the next one, as it does in a clinic."""
    with django_db_blocker.unblock():
        try:
            with whole(tmp_path_factory.mktemp("system")) as running:
                yield running
        finally:
            call_command("flush", interactive=False, verbosity=0)
