"""A world for all runs: making its databases takes longer than a run."""

import logging

import pytest

from tests.simulator.world import new_world


@pytest.fixture(scope="module")
def world(django_db_blocker):
    logging.disable(logging.CRITICAL)
    with django_db_blocker.unblock(), new_world() as world:
        yield world
    logging.disable(logging.NOTSET)
