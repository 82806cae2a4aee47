"""One server and database for the tests that use patients of their own; others start what they need."""

from collections.abc import Iterator

import pytest

from tests.billing_grpc.caller import Caller, served
from tests.billing_grpc.database import new_database


@pytest.fixture(scope="session")
def billing() -> Iterator[Caller]:
    with new_database() as url, served(url) as caller:
        yield caller
