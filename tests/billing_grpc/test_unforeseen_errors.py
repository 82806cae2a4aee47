"""An unforeseen error shows in the answer and the log, without the data that it was about."""

import json
import subprocess
import sys

from billing_grpc.calls import status_of
from billing_grpc.server import start
from tests.billing_grpc.caller import caller_of, new_patient, refusal

LOGGED = """
import structlog
from billing_grpc.logs import log_as_json
log_as_json("INFO")
def fail():
    raise ValueError("Hildegard Personal")
try:
    fail()
except ValueError as error:
    structlog.get_logger("billing").error("call", exc_info=error)
    import logging
    logging.getLogger("grpc").exception("from a library")
"""


class Broken:
    """Accounts that fail as a database does: the error quotes the row."""

    def check(self) -> None:
        raise ValueError("Hildegard Personal")

    def add(self, details):
        raise ValueError(f"Failing row contains ({details[0].name})")


def test_the_caller_learns_no_value():
    """Red when the error goes through to gRPC, which sends its text."""
    server = start(Broken(), host="127.0.0.1", port=0)
    try:
        with caller_of(server.port) as billing:
            status, text = refusal(billing.open, new_patient(name="Hildegard Personal"))
    finally:
        server.drain()
    assert (status, text) == ("INTERNAL", "the billing server failed; its log says where")


def test_only_the_kind_of_an_unforeseen_error_decides_its_status():
    assert status_of(KeyError("Hildegard"))[1] == status_of(ValueError("x"))[1]


def test_the_log_has_the_kind_and_the_place_and_no_value():
    lines = subprocess.run(
        [sys.executable, "-c", LOGGED], capture_output=True, text=True, check=True
    ).stderr
    assert "Hildegard" not in lines
    own, library = map(json.loads, lines.splitlines())
    assert own["error"] == library["error"] == "ValueError"
    assert own["at"] == ["__main__:8", "__main__:6"]
