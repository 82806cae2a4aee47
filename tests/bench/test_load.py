"""The load generator against a server that answers in every way that HTTP has."""

import itertools
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.bench.load import Sent, WrongAnswer, request, run_load


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(404 if self.path == "/missing" else 200)
        if self.path == "/chunked":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"5\r\nhello\r\n0\r\n\r\n")
            return
        if self.path == "/closing":
            self.send_header("Connection", "close")
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_):
        pass


@pytest.fixture
def port():
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        server.handle_error = lambda *_: None  # The generator ends in the midst of an answer.
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.mark.parametrize("path", ["/sized", "/chunked", "/closing"])
def test_every_kind_of_answer_is_read_to_its_end(port, path):
    sent = Sent(request("GET", path, "localhost"), body_has=b"hello")
    load = run_load(port, [itertools.repeat(sent)] * 2, seconds=0, least=3)
    assert len(load.times) >= 6
    assert load.milliseconds(50) > 0


@pytest.mark.parametrize(("path", "body_has"), [("/missing", b""), ("/sized", b"bye")])
def test_a_wrong_answer_ends_the_measurement(port, path, body_has):
    sent = Sent(request("GET", path, "localhost"), body_has=body_has)
    with pytest.raises(WrongAnswer):
        run_load(port, [itertools.repeat(sent)], seconds=0.1)
