"""A server and database for the tests that use patients of their own; others start their own."""

from collections.abc import Iterator

import pytest

from tests.billing_grpc.caller import Caller, running_server
from tests.billing_grpc.database import new_database


@pytest.fixture(scope="session")
def billing() -> Iterator[Caller]:
    with new_database() as url, running_server(url) as caller:
        yield caller
