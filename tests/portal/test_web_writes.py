"""Registrations wait in the loop and are answered; the tests take each step by itself."""

import json
import uuid

import pytest

from portal import web_writes
from portal.patients.gathered_registrations import Registration
from portal.plain_registrations import PlainRegistration
from portal.web_writes import MOST_AT_ONCE, MOST_WAITING, RegistrationsBatch, WebWrites
from tests.portal.plain_client import body, status


class Channel:
    """Stands for a connection of a client."""

    held = answer = b""
    asked_django = False

    def wait_for(self, _request) -> bool:
        return True

    def answer_at_once(self, answer: bytes) -> None:
        self.answer = answer

    def ask_django(self, _data: bytes) -> None:
        self.asked_django = True


class Busy:
    """Stands for what would be asked, and has no time."""

    is_closed = False
    is_busy = True

    def busy_seconds(self) -> float:
        return 0.0

    def read_early(self, _known) -> None:
        """Reads nothing."""


class Head:
    known = None
    lacks_bytes = False


def registration(*claims: str) -> PlainRegistration:
    made = Registration(uuid.uuid4(), None, frozenset(claims), "{}", "", "")
    return PlainRegistration(made, "request-1", b"", 0.0)


@pytest.fixture
def writes(monkeypatch):
    monkeypatch.setattr(web_writes, "read_head", lambda _data, _channel: Head())
    monkeypatch.setattr(web_writes, "registration_of", lambda _head, data: data)
    writes = WebWrites({}, Busy())
    writes._connection = Busy()
    return writes


@pytest.mark.django_db
def test_who_comes_when_too_many_wait_is_told_when_to_come_again(writes):
    """Red when the queue grows without a bound."""
    for _ in range(MOST_WAITING):
        channel = Channel()
        assert writes.take(channel, registration())
        assert not channel.answer
    late = Channel()
    assert writes.take(late, registration())
    assert status(late.answer) == 503
    assert b"\r\nRetry-After: 2\r\n" in late.answer
    assert json.loads(body(late.answer))["requestId"] == "request-1"
    assert len(writes._waiting) == MOST_WAITING


def test_a_message_has_each_person_and_identifier_once(writes):
    """Red when two of one message have the same: the statement compares them with nobody."""
    for claims in ("ab", "bc", "cd", "e"):
        writes.take(Channel(), registration(*claims))
    groups = [[request.registration.claims for _, request in writes._next_group()] for _ in "12"]
    assert groups == [[{*"ab"}, {*"cd"}, {*"e"}], [{*"bc"}]]


def test_a_message_is_bounded(writes):
    for _ in range(MOST_AT_ONCE + 1):
        writes.take(Channel(), registration())
    assert [len(writes._next_group()) for _ in "12"] == [MOST_AT_ONCE, 1]


class Ended:
    """Stands for a connection on which a message failed."""

    def __init__(self, *, has_rolled_back: bool) -> None:
        self.has_rolled_back = has_rolled_back


@pytest.mark.django_db
@pytest.mark.parametrize("has_rolled_back", [True, False])
def test_only_what_was_undone_goes_to_django(writes, has_rolled_back):
    """Red when a registration that may be committed is made once more, or an undone one is not."""
    channel, request = Channel(), registration()
    connection = Ended(has_rolled_back=has_rolled_back)
    writes._finish(connection, [(channel, request)], RegistrationsBatch([request]), None)
    assert channel.asked_django == has_rolled_back
    assert has_rolled_back or status(channel.answer) == 503


@pytest.mark.django_db
def test_who_was_not_written_goes_to_django_and_the_others_do_not(writes):
    channels, requests = [Channel(), Channel()], [registration(), registration()]
    rows = [(requests[1].registration.patient_id, 1, "{}")]
    waiting = [*zip(channels, requests, strict=True)]
    writes._finish(Ended(has_rolled_back=False), waiting, RegistrationsBatch(requests), rows)
    assert [channel.asked_django for channel in channels] == [True, False]
    assert status(channels[1].answer) == 201
