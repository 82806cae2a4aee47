"""A few files are sent at once, so that slow readers leave threads to everybody else."""

import gc

import pytest

from portal import downloads, gunicorn
from portal.patients.models import AccessRecord

pytestmark = pytest.mark.django_db
ADDRESSES = ["/patients/export.csv", "/patients/export.ndjson", "/audit/export/"]


@pytest.fixture
def user_client(client, make_user):
    """A client of somebody who may take patients out."""
    gc.collect()  # Ends downloads that other tests began and never read.
    client.force_login(make_user("front desk", is_superuser=True))
    return client


@pytest.fixture
def slow_readers(user_client):
    """As many downloads as there may be, begun and not read."""
    return [user_client.get(ADDRESSES[number % 3]) for number in range(downloads.AT_ONCE)]


@pytest.mark.parametrize("address", ADDRESSES)
def test_one_download_too_many_is_told_to_come_back(user_client, slow_readers, address):
    assert [answer.status_code for answer in slow_readers] == [200] * downloads.AT_ONCE
    records = AccessRecord.objects.count()
    answer = user_client.get(address)
    assert (answer.status_code, answer["Retry-After"]) == (503, "30")
    assert "Try again in half a minute" in answer.content.decode()
    assert AccessRecord.objects.count() == records
    assert user_client.get("/patients/").status_code == 200


def test_a_download_that_was_read_makes_room(user_client, slow_readers):
    assert b"".join(slow_readers[0])
    assert user_client.get(ADDRESSES[0]).status_code == 200
    assert user_client.get(ADDRESSES[0]).status_code == 503


def test_a_download_that_was_forgotten_makes_room(user_client, slow_readers):
    slow_readers.pop()
    gc.collect()
    assert user_client.get(ADDRESSES[0]).status_code == 200


def test_a_download_that_cannot_begin_keeps_no_place(user_client):
    def fail():
        raise LookupError

    for _ in range(downloads.AT_ONCE + 1):
        with pytest.raises(LookupError):
            downloads.send_file("x.csv", fail)
    assert user_client.get(ADDRESSES[0]).status_code == 200


def test_most_threads_stay_for_others():
    assert gunicorn.threads / 2 > downloads.AT_ONCE
