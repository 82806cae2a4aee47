"""Sessions from before the upgrade are deleted."""

import pytest
from django.contrib.sessions.models import Session as OldSession
from django.core.management import call_command
from django.utils import timezone


@pytest.mark.django_db(transaction=True)
def test_no_session_from_before_the_upgrade_stays_behind():
    """Nothing reads that table any more, so nothing else would ever empty it."""
    call_command("migrate", "accounts", "0002", verbosity=0)
    OldSession.objects.create(session_key="of-before", session_data="x", expire_date=timezone.now())
    call_command("migrate", "accounts", verbosity=0)
    assert not OldSession.objects.exists()
