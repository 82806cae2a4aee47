"""A fake stream processor for the dashboard's tests: an HTTP server with given figures."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

NOW = datetime.now(UTC)


def make_figures(**totals: int) -> dict[str, Any]:
    """Returns figures in the shape of the contract."""
    counts = {
        "active": 12,
        "archived": 1,
        "merged": 0,
        "registeredToday": 3,
        "registered7Days": 7,
        "registered30Days": 9,
    }
    return {
        "totals": {**counts, "events": 30, **totals},
        "registrationsByDay": days(90),
        "registrationsByHour": times(48, "hours"),
        "registrationsByMinute": times(120, "minutes"),
        "eventsByDay": days(30),
        "eventsByHour": times(24, "hours"),
        "eventsByMinute": times(60, "minutes"),
        "byAgeBand": {"0-17": 3, "18-39": 4, "40-64": 3, "65-79": 1, "80+": 1, "unknown": 0},
        "bySex": {"female": 7, "male": 5, "other": 0, "unknown": 0},
        "byRegion": {"Massachusetts": 9, "Vermont": 3},
        "bySource": {"portal": 8, "import": 4},
        "asOf": datetime.now(UTC).isoformat(),
        "lagSeconds": 0.4,
        "lastEventAt": NOW.isoformat(),
    }


def days(number: int) -> list[dict[str, Any]]:
    """Returns a series that ends today; the n-th last day has n % 5."""
    return [
        {"day": (NOW - timedelta(days=n)).date().isoformat(), "count": n % 5}
        for n in reversed(range(number))
    ]


def times(number: int, unit: str) -> list[dict[str, Any]]:
    return [
        {"at": (NOW - timedelta(**{unit: n})).isoformat(), "count": n % 3}
        for n in reversed(range(number))
    ]


class Processor:
    """A processor that answers `figures`, or 503 while they are None."""

    def __init__(self) -> None:
        self.figures: dict[str, Any] | None = make_figures()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        processor = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                figures = processor.figures
                self.send_response(200 if figures else 503)
                self.end_headers()
                self.wfile.write(json.dumps(figures).encode())

            def log_message(self, *_: object) -> None:
                pass

        return Handler


@contextmanager
def run_processor() -> Iterator[Processor]:
    processor = Processor()
    thread = Thread(target=processor.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield processor
    finally:
        processor.server.shutdown()
        processor.server.server_close()
        thread.join()
