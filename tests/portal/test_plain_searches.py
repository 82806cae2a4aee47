"""Plain searches of programs go past Django, and are answered and recorded as Django would.

That both send the same bytes is in test_plain_reads.
"""

import re
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import Permission
from django.db import connection

from portal.patients.models import AccessRecord
from portal.patients.services import register_patient
from portal.plain_searches import SearchTask, recognise_search


@pytest.fixture
def sender(front_desk, monkeypatch):
    """Whom the headers of all requests tell of."""
    sender = SimpleNamespace(origin="http://localhost")
    known = SimpleNamespace(user=front_desk)
    monkeypatch.setattr(
        "portal.plain_searches.read_sender", lambda _headers, _channel: (sender, known, "id-123456")
    )
    return sender


class Channel:
    """What a task needs of a connection."""

    def __init__(self) -> None:
        self.sent = b""

    def write_soon(self, data: bytes) -> None:
        self.sent += data


def request(query: str) -> bytes:
    return f"GET /api/patients?{query} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def recognised(query: str):
    search = recognise_search(request(query), Channel())
    return search and (search.text, search.limit)


@pytest.mark.django_db
def test_usual_searches_are_plain(sender):
    """Red when nothing is recognised any more: then each search takes the long way."""
    assert recognised("q=smith") == ("smith", 50)
    assert recognised("q=jon+smith%20&limit=200") == ("jon smith", 200)
    assert recognised("limit=7&q=%C5%82") == ("ł", 7)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "query",
    [
        "limit=7",
        "q=",
        "q=+",
        "q=a&q=b",
        "q=a&limit=0",
        "q=a&limit=201",
        "q=a&limit=7&limit=8",
        "q=a&sex=female",
        "q=a&cursor=x",
        "q=a%00",
        "q=a#b",
        f"q={'a' * 3000}",
    ],
)
def test_a_search_with_any_doubt_is_djangos(sender, query):
    assert recognised(query) is None


@pytest.mark.django_db
def test_who_may_not_see_patients_is_refused_by_django(sender, front_desk):
    Permission.objects.get(codename="view_patient").group_set.clear()
    front_desk.__dict__.pop("_perm_cache", None)
    assert recognised("q=smith") is None


@pytest.mark.django_db
def test_an_answer_has_its_record_under_the_id_of_the_request(sender):
    """Red when a search is answered and not recorded, or recorded under another request."""
    patient = register_patient({"family_name": "Abel"}, by=None, source="api")
    channel = Channel()
    SearchTask(channel, recognise_search(request("q=abel"), channel)).service()
    assert re.search(rb"X-Request-Id: id-123456\r\n", channel.sent)
    record = AccessRecord.objects.get(request_id="id-123456")
    assert (record.action, record.door, record.patient_ids) == ("list", "api", [patient.pk])


@pytest.mark.django_db
def test_a_search_that_fails_is_asked_of_django(sender, monkeypatch):
    """Red when an error leaves a client without an answer, or with one of our own making."""
    asked = []
    monkeypatch.setattr(SearchTask, "_ask_django", lambda task: asked.append(task.request.text))

    def fail(*_arguments, **_options):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1/0")

    monkeypatch.setattr("portal.plain_searches.find_patients", fail)
    channel = Channel()
    SearchTask(channel, recognise_search(request("q=abel"), channel)).service()
    assert (asked, channel.sent) == (["abel"], b"")
