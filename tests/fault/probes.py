"""Probes from outside: when a change becomes a figure, and what the system says of itself."""

import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import httpx
import psycopg2

from tests.fault.system import System

PAGE_SECONDS = 1.0
LOOK_SECONDS = 0.05
PLACES = ("/health/ready", "/metrics", "page")
WINDOW = 400  # events before the newest one, that are looked for again
STRIPS = {
    "The relay is away.": "relay",
    "Events are late.": "events",
    "Billing is behind.": "billing",
    "Live figures are away.": "analytics",
    "Imports wait.": "worker queue",
    "A disk is nearly full.": "disk",
}


class Probe:
    """Looks at a part again and again, in a thread of its own."""

    def __init__(self, name: str, *, every_seconds: float) -> None:
        self._every_seconds = every_seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name)

    def look(self) -> None:
        raise NotImplementedError

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._every_seconds):
            self.look()


class Figures(Probe):
    """Records when each event was first counted in the database of the figures."""

    def __init__(self, system: System) -> None:
        super().__init__("figures", every_seconds=LOOK_SECONDS)
        self._system = system
        self._connection: psycopg2.extensions.connection | None = None
        self._newest = 0
        self.seen_at: dict[int, float] = {}

    def look(self) -> None:
        try:
            self._connection = self._connection or self._open()
            with self._connection.cursor() as cursor:
                cursor.execute(
                    "SELECT event_id FROM counted_event WHERE event_id > %s",
                    [self._newest - WINDOW],
                )
                found = [row[0] for row in cursor.fetchall()]
        except psycopg2.Error:
            self._connection = None
            self._stopping.wait(0.5)
            return
        now = time.time()
        for event_id in found:
            self.seen_at.setdefault(event_id, now)
        self._newest = max([self._newest, *found])

    def _open(self) -> psycopg2.extensions.connection:
        connection = self._system.connect("analytics")
        connection.autocommit = True
        return connection


@dataclass
class Sight:
    """A look at a place: the names of the parts that are behind, or no answer."""

    at: float
    place: str
    behind: frozenset[str] = field(default_factory=frozenset)
    answered: bool = True


class Surface(Probe):
    """Records what /health/ready, /metrics and a page of the staff say."""

    def __init__(self, system: System) -> None:
        super().__init__("surface", every_seconds=PAGE_SECONDS)
        self._system = system
        self._internal = httpx.Client(base_url=system.site("internal"), timeout=4, trust_env=False)
        self._staff = httpx.Client(
            base_url=system.site("portal"), timeout=4, trust_env=False, follow_redirects=True
        )
        reads: tuple[Callable[[], frozenset[str]], ...] = (self._health, self._metrics, self._page)
        self._places = dict(zip(PLACES, reads, strict=True))
        self.sights: list[Sight] = []

    def look(self) -> None:
        for place, read in self._places.items():
            at = time.time()
            try:
                self.sights.append(Sight(at, place, read()))
            except (httpx.HTTPError, ValueError, KeyError):
                self.sights.append(Sight(at, place, answered=False))

    def _health(self) -> frozenset[str]:
        checks = self._internal.get("/health/ready").json()["checks"]
        return frozenset(check["name"] for check in checks if not check["ok"])

    def _metrics(self) -> frozenset[str]:
        lines = self._internal.get("/metrics").raise_for_status().text.splitlines()
        found = re.compile(r'portal_check_ok\{check="([^"]+)"\} 0(\.0)?$')
        return frozenset(match[1] for line in lines if (match := found.match(line)))

    def _page(self) -> frozenset[str]:
        page = self._staff.get("/patients/")
        if "/sign-in" in str(page.url) or (
            "csrfmiddlewaretoken" in page.text and "password" in page.text
        ):
            page = self._sign_in(page)
        page.raise_for_status()
        return frozenset(name for title, name in STRIPS.items() if title in page.text)

    def _sign_in(self, page: httpx.Response) -> httpx.Response:
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        credentials = {
            "email": "frontdesk@demo.example",
            "password": self._system.environment["DEMO_PASSWORD"],
        }
        form = {
            "csrfmiddlewaretoken": token[1] if token else "",
            **credentials,
            "next": "/patients/",
        }
        return self._staff.post(str(page.url), data=form, headers={"Referer": str(page.url)})

    def stop(self) -> None:
        super().stop()
        with suppress(httpx.HTTPError):
            self._internal.close()
            self._staff.close()
