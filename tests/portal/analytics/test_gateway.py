"""/api/analytics: live figures, a stale snapshot while the stream is away, 304 without a change."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from django.core.cache import cache

from portal.analytics import client as client_module
from portal.analytics import selectors
from portal.analytics.client import FiguresClient
from portal.errors import Unavailable

pytestmark = pytest.mark.django_db
FIGURES = {
    "totals": {"active": 3},
    "asOf": "2026-01-01T00:00:00Z",
    "lagSeconds": 0.1,
    "lastEventAt": None,
}


class Stream:
    """A fake stream processor that can go away."""

    def __init__(self):
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.request_count += 1
                tag = f'"{hash(str(outer.figures))}"'
                is_known = self.headers["If-None-Match"] == tag
                self.send_response(304 if is_known else 200)
                self.send_header("ETag", tag)
                self.end_headers()
                self.wfile.write(b"" if is_known else json.dumps(outer.figures).encode())

            def log_message(self, *_):
                pass

        self.figures, self.request_count = dict(FIGURES), 0
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def go_away(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(autouse=True)
def _empty_cache():
    cache.clear()


@pytest.fixture
def stream(monkeypatch):
    stream = Stream()
    monkeypatch.setattr(selectors, "client", FiguresClient(stream.address))
    monkeypatch.setattr(client_module, "TTL_SECONDS", 0)
    monkeypatch.setattr(client_module, "TIMEOUT", 60)  # The machine may be slow.
    yield stream
    stream.go_away()


def test_figures_carry_billing_and_say_that_they_are_live(desk_api, stream):
    body = desk_api.get("/api/analytics").json()
    assert body["totals"] == {"active": 3}
    assert body["billing"] == {"pending": 0, "active": 0, "failed": 0, "closed": 0}
    assert body["stale"] is False


def test_unchanged_figures_are_304_and_changed_ones_are_not(desk_api, stream):
    tag = desk_api.get("/api/analytics")["ETag"]
    stream.figures["asOf"] = "2026-01-01T00:00:05Z"
    assert desk_api.get("/api/analytics", HTTP_IF_NONE_MATCH=tag).status_code == 304
    stream.figures["totals"] = {"active": 4}
    assert desk_api.get("/api/analytics", HTTP_IF_NONE_MATCH=tag).status_code == 200


def test_the_snapshot_is_marked_as_stale_while_the_stream_is_away(desk_api, stream):
    desk_api.get("/api/analytics")
    stream.go_away()
    body = desk_api.get("/api/analytics").json()
    assert body["stale"] is True
    assert body["totals"] == FIGURES["totals"]


def test_unchanged_figures_are_as_of_now(desk_api, stream):
    first = desk_api.get("/api/analytics").json()["asOf"]
    assert (first, desk_api.get("/api/analytics").json()["asOf"] > first) == (FIGURES["asOf"], True)


def test_without_a_snapshot_the_answer_is_503(desk_api, stream):
    stream.go_away()
    answer = desk_api.get("/api/analytics")
    assert (answer.status_code, answer["Content-Type"]) == (503, "application/problem+json")


def test_many_pollers_wait_for_a_silent_stream_once(monkeypatch):
    """Red when each waits for a time-out of its own, one after the other."""
    requests = []

    def away(*_, **__):
        requests.append(1)
        raise httpx.ConnectTimeout("no answer")

    monkeypatch.setattr(httpx.Client, "get", away)
    monkeypatch.setattr(client_module, "TTL_SECONDS", 60)
    client = FiguresClient("http://127.0.0.1:1")
    for _ in range(20):
        with pytest.raises(Unavailable):
            client.figures()
    assert len(requests) == 1


def test_many_pollers_ask_the_stream_once(stream, monkeypatch):
    monkeypatch.setattr(client_module, "TTL_SECONDS", 60)
    for _ in range(20):
        selectors.client.figures()
    assert stream.request_count == 1
