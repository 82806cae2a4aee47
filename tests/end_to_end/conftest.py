"""A whole system for all journeys, on each kind of broker."""

import pytest

from tests.end_to_end.system import running


@pytest.fixture(
    scope="session", params=["embedded", pytest.param("apache", marks=pytest.mark.kafka)]
)
def system(request, tmp_path_factory):
    with running(tmp_path_factory.mktemp(request.param), kafka=request.param) as system:
        yield system
