"""Plain reads that are answered in the loop leave the log lines that others leave."""

import io
import json
import logging
import time

import pytest

from portal.patients.services import register_patient
from portal.plain_answers import lines, note_answered
from portal.plain_registrations import PlainRegistration
from portal.plain_requests import PlainRead

CHANCE = {"ms", "request_id", "timestamp"}


@pytest.fixture
def written():
    """The stream that log lines of both kinds go to."""
    stream, handlers = io.StringIO(), [*logging.getLogger().handlers, *lines.handlers]
    ours = [handler for handler in handlers if type(handler) is logging.StreamHandler]
    before = [(handler, handler.setStream(stream)) for handler in ours]
    yield stream
    for handler, old in before:
        handler.setStream(old)


def read_of(patient_id: str = "", limit: int = 0) -> PlainRead:
    return PlainRead(None, "", "", patient_id, limit, "request-1", b"", time.perf_counter())


@pytest.mark.django_db
def test_log_lines_have_the_same_members(desk_api, written):
    """Red when a member is added to the one line and not to the other."""
    patient = register_patient({"family_name": "Abel"}, by=None, source="api")
    reads = [read_of(str(patient.pk)), read_of(limit=50), read_of()]
    written.truncate(0)
    written.seek(0)
    note_answered([(read, b"HTTP/1.1 200 OK\r\n") for read in reads])
    made = PlainRegistration(None, "request-1", b"", time.perf_counter())
    note_answered([(made, b"HTTP/1.1 201 Created\r\n")])
    for path in (f"/api/patients/{patient.pk}", "/api/patients", "/auth/validate"):
        assert desk_api.get(path).status_code == 200
    assert desk_api.post("/api/patients", {"name": "A Person"}, format="json").status_code == 201
    found = [json.loads(line) for line in written.getvalue().splitlines() if '"request"' in line]
    assert len(found) == 8
    for ours, theirs in zip(found[:4], found[4:], strict=True):
        assert list(ours) == list(theirs)
        assert {name: ours[name] for name in ours.keys() - CHANCE} == {
            name: theirs[name] for name in theirs.keys() - CHANCE
        }
        assert len(ours["timestamp"]) == len(theirs["timestamp"])
