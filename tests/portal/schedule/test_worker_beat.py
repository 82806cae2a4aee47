"""A worker says that it runs; health and pages say when none does."""

from datetime import timedelta

import pytest
from django.utils import timezone

from portal import health
from portal.schedule.models import Beat
from portal.schedule.worker_beat import beat

pytestmark = pytest.mark.django_db


def test_a_worker_that_beats_keeps_up():
    beat()
    beat()
    check = health.check_worker()
    assert check.ok
    assert check.figures["beatAgeSeconds"] < 5


def test_a_worker_that_was_frozen_or_is_gone_is_away():
    beat()
    Beat.objects.update(beat_at=timezone.now() - timedelta(minutes=1))
    assert not health.check_worker().ok


def test_a_worker_that_never_ran_is_away():
    assert not health.check_worker().ok
