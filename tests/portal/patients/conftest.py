import pytest


@pytest.fixture
def desk(client, front_desk):
    """A browser without JavaScript, signed in at the front desk."""
    client.force_login(front_desk)
    return client
