"""An answer of analytics is taken whole or not at all."""

import io
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import UUID

import pytest

from portal.reconciliation.states import StatesClient
from portal.reconciliation.stores import StoreAway

HEADER = "patient_id,version,event_id,status,counted\n"
LINES = (
    "00000000-0000-4000-8000-000000000001,2,7,active,2\n"
    "00000000-0000-4000-8000-000000000002,1,8,archived,1\n"
)


@contextmanager
def analytics_answering(text: str, status: int = 200):
    """Runs a web server with this answer; yields its address, and the requests that came."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self):
            asked.append(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_POST = answer  # noqa: N815 - the standard library names them

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


def read(address: str) -> str:
    client, lines = StatesClient(address), io.BytesIO()
    try:
        client.read_all(lines)
    finally:
        client.close()
    return lines.getvalue().decode()


def test_the_lines_between_header_and_end_are_the_states():
    with analytics_answering(f"{HEADER}{LINES}end,2\n") as (address, _):
        assert read(address) == LINES


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{HEADER}{LINES}", "broke off"),
        (f"{HEADER}{LINES}end,3\n", "broke off"),
        ("", "broke off"),
        (f"patient,version\n{LINES}end,2\n", "of one version"),
    ],
)
def test_anything_else_is_no_answer(text, words):
    with analytics_answering(text) as (address, _), pytest.raises(StoreAway, match=words):
        read(address)


def test_an_error_is_no_answer():
    with (
        analytics_answering("{}", status=503) as (address, _),
        pytest.raises(StoreAway, match="does not answer"),
    ):
        read(address)


def test_more_than_a_thousand_patients_are_asked_about_in_parts():
    with analytics_answering(f"{HEADER}end,0\n") as (address, asked):
        client = StatesClient(address)
        client.read([UUID(int=number) for number in range(2_500)], io.BytesIO())
        client.close()
    assert [body.count(b'"') // 2 - 1 for body in asked] == [1_000, 1_000, 500]
