"""Clients that send or read slowly keep nobody waiting, and are closed after their time."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPResponse

import pytest

from portal.web_worker import WAITING_REQUESTS
from tests.portal.web_server import PLAIN_GET, WebServer, running_web_server
from tests.waits import wait_for

SLOW_HEADERS = PLAIN_GET + b"X-Slow: "
SLOW_BODY = b"POST /sign-in/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4000\r\n\r\n"
SLOW_CHUNKS = b"POST /auth/login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_web_server(tmp_path_factory.mktemp("web")) as server:
        yield server


@contextmanager
def slow_clients(server: WebServer, begin: bytes, *, count: int = 64, internal: bool = False):
    """Holds connections that send a byte again and again, and never end their request."""
    sockets = [server.connect(internal=internal) for _ in range(count)]
    stopped = threading.Event()

    def trickle() -> Iterator[None]:
        while not stopped.wait(0.2):
            for client in sockets:
                with suppress(OSError):
                    client.send(b"a")

    for client in sockets:
        client.sendall(begin)
    thread = threading.Thread(target=trickle)
    thread.start()
    try:
        yield sockets
    finally:
        stopped.set()
        thread.join()
        for client in sockets:
            client.close()


@pytest.mark.parametrize("begin", [b"G", SLOW_HEADERS, SLOW_BODY, SLOW_CHUNKS])
def test_others_are_answered_at_both_ports(server, begin):
    """Fails with a thread for each connection: eight are enough to stop the portal."""
    with (
        slow_clients(server, begin),
        slow_clients(server, begin, internal=True, count=16),
    ):
        for _ in range(20):
            assert server.get("/sign-in/").status_code == 200
            assert server.get("/health/live", internal=True).status_code == 200
            assert server.get("/metrics-are-here-not", internal=True).status_code == 404


def test_a_client_that_never_ends_its_headers_is_closed(server):
    with slow_clients(server, SLOW_HEADERS, count=1) as [client]:
        client.settimeout(60)
        assert not client.recv(1000)


def test_clients_that_read_nothing_keep_no_thread(server):
    """64 of them ask for a large file and do not take it."""
    path = b"/static/unfold/css/styles.css"
    readers = []
    for _ in range(64):
        reader = socket.socket()
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        reader.connect(("127.0.0.1", server.port))
        reader.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
        readers.append(reader)
    try:
        assert all(server.get("/sign-in/").status_code == 200 for _ in range(20))
    finally:
        for reader in readers:
            reader.close()


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (PLAIN_GET + b"X-Long: " + b"a" * 70_000 + b"\r\n\r\n", b"431"),
        (b"POST /sign-in/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000000\r\n\r\n", b"413"),
        (b"GET /sign-in/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n", b"400"),
        (PLAIN_GET + b"Script-Name: /x\r\nScript_Name: /x\r\n\r\n", b"200"),
        (PLAIN_GET + b"X-Forwarded-Proto: https\r\nPath-Info: /x\r\n\r\n", b"200"),
    ],
)
def test_each_size_has_a_limit_and_no_header_makes_an_error(server, request_bytes, status):
    with server.connect() as client:
        client.sendall(request_bytes)
        assert client.recv(1000).split(b" ")[1] == status


def everything_from(client: socket.socket) -> bytes:
    client.settimeout(60)
    received = b""
    while part := client.recv(65536):
        received += part
    return received


@pytest.mark.parametrize("begin", [bytes.fromhex("160301020001000001fc0303"), b"\0", b"\x80\x2e"])
def test_another_protocol_is_closed_at_once(server, begin):
    """A browser that tries https://localhost:4000 would wait for the limit of headers, 15 s."""
    with server.connect() as client:
        client.settimeout(5)
        client.sendall(begin)
        assert not client.recv(1000)


def test_an_empty_line_before_a_request_is_read_over(server):
    with server.connect() as client:
        client.sendall(b"\r\n")
        client.sendall(PLAIN_GET + b"\r\n")
        assert client.recv(1000).split(b" ")[1] == b"200"


def test_requests_far_ahead_of_their_answers_are_not_taken(server):
    """Hundreds of them in a packet would keep the threads from all others."""
    with server.connect() as client:
        client.sendall((PLAIN_GET + b"\r\n") * 300)
        answers = everything_from(client)
    assert answers.count(b"HTTP/1.1 200") == WAITING_REQUESTS


def test_many_idle_connections_keep_nobody_waiting(server):
    idle = [server.connect() for _ in range(300)]
    try:
        for client in idle[::2]:
            client.sendall(PLAIN_GET + b"\r\n")
        for _ in range(20):
            assert server.get("/sign-in/").status_code == 200
    finally:
        for client in idle:
            client.close()


HEADERS = b" HTTP/1.1\r\nHost: localhost\r\n"
LONG, LARGE = b"X-Long: " + b"a" * 70_000 + b"\r\n\r\n", b"Content-Length: 5000000\r\n\r\n"
WRONG, UNKNOWN = b"Content-Length: x\r\n\r\n", b"Transfer-Encoding: br\r\n\r\n"


@pytest.mark.parametrize(
    ("end", "status", "words"),
    [
        (LONG, 431, "at most 64 KB"),
        (LARGE, 413, "at most 4 MB"),
        (WRONG, 400, "as HTTP writes it"),
        (UNKNOWN, 501, "in chunks"),
    ],
)
@pytest.mark.parametrize(
    ("begin", "kind"),
    [
        (b"POST /api/patients", "application/problem+json"),
        (b"POST /auth/login", "application/problem+json"),
        (b"POST /patients/new/", "text/html"),
        (b"POST /" + b"a" * 300, "text/html"),
    ],
)
def test_the_server_s_own_answers_say_what_to_do(server, begin, kind, end, status, words):
    with server.connect() as client:
        client.sendall(begin + HEADERS + end)
        answer = HTTPResponse(client)
        answer.begin()
        text = answer.read().decode()
    assert (answer.status, answer.headers["Content-Type"].partition(";")[0]) == (status, kind)
    assert words in text
    assert "waitress" not in text
    assert (answer.headers["Cache-Control"], answer.headers["Server"]) == ("no-store", None)
    if kind != "text/html":
        problem = json.loads(text)
        assert problem["status"] == status
        assert problem["requestId"] == answer.headers["X-Request-Id"]


def test_a_body_in_chunks_is_taken(server):
    body = b'{"email": "x"}'
    chunk = f"{len(body):x}".encode() + b"\r\n" + body + b"\r\n0\r\n\r\n"
    head = SLOW_CHUNKS.replace(b"\r\n\r\n", b"\r\nContent-Type: application/json\r\n\r\n")
    with server.connect() as client:
        client.sendall(head + chunk)
        assert client.recv(1000).split(b" ")[1] == b"400"  # The password is missing.


def test_a_stop_lets_requests_end(tmp_path):
    with running_web_server(tmp_path) as server:
        server.get("/sign-in/")
        server.process.terminate()
        assert wait_for(lambda: server.process.poll() is not None, seconds=30)
        assert server.process.returncode == 0
