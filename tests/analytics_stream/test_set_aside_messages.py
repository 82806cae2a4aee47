"""Messages that cannot be counted go to the dead-letter topic, and all others are counted."""

import random
import sys

import pytest

from embedded.kafka import kafka
from tests.analytics_stream.database import execute, read_figures
from tests.analytics_stream.histories import expected_figures, make_history
from tests.analytics_stream.messages import make_message
from tests.analytics_stream.worker_process import read_dead_letters, run_worker, send_messages
from tests.waits import wait_for

MESSAGES = 2000
OF_EACH_KIND = MESSAGES // 100
KINDS = {
    "the value is not a PatientEvent": lambda number: b"\xff\xfe broken",
    "status is none of active, archived, merged and deleted": lambda number: make_message(
        number, number=number, status="?"
    ),
    "the database refuses its values": lambda number: make_message(
        number, number=number, region="Refused"
    ),
    "handler fault: ZeroDivisionError": lambda number: make_message(
        number, number=number, region="Where counting fails"
    ),
    "handler fault: LookupError": lambda number: b"where decoding fails",
}


@pytest.fixture
def broker(tmp_path):
    with kafka(tmp_path / "kafka") as server:
        yield server.address


def mix(good):
    """Returns the good messages with bad ones between them, and the reason for each bad number."""
    bad = {5000 + at: reason for at, reason in enumerate(list(KINDS) * OF_EACH_KIND)}
    messages = [(fact["number"], make_message(**fact)) for fact in good]
    for number, reason in bad.items():
        messages.insert(
            random.Random(number).randrange(len(messages)), (number, KINDS[reason](number))
        )
    return messages, bad


def test_one_in_a_hundred_of_each_kind(database, broker, tmp_path):
    """Red when a whole batch is set aside, an error ends the process, or letters are lost."""
    good = make_history((MESSAGES - len(KINDS) * OF_EACH_KIND) // 2, versions=2)
    messages, bad = mix(good)
    execute(database, "ALTER TABLE patient_state ADD CHECK (region <> 'Refused')")
    program = [sys.executable, "-m", "tests.analytics_stream.broken_worker", "errors"]
    with run_worker(database, broker, tmp_path, program=program) as worker:
        worker.wait_until_joined()
        send_messages(broker, *messages)
        letters = read_dead_letters(broker, bad)
        worker.wait_for_events(len(good))
        worker.wait_until_caught_up()
        assert {number: dict(letters[number].headers())["reason"].decode() for number in bad} == bad
        assert read_figures(database) == expected_figures(good)
        wait_for(lambda: f"analytics_dead_letters_total {len(bad)}.0" in worker.metrics())
        assert worker.end() == 0
        assert "Jane" not in worker.text()
