"""A migrated database for each test that names one."""

import pytest

from analytics_stream.store import Store
from tests.analytics_stream.database import new_database


@pytest.fixture
def database():
    with new_database() as url:
        yield url


@pytest.fixture
def store(database):
    store = Store(database)
    yield store
    store.close()
