"""A whole portal, a browser and a camera, which every chapter of pictures uses."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import httpx
import psycopg2
from playwright.sync_api import Browser, BrowserContext

from tests.browser.screens.camera import Camera
from tests.browser.steps import Staff
from tests.end_to_end.system import System
from tests.waits import wait_for


class Studio:
    """Opens browsers for users of the portal, and closes them at the end of a chapter."""

    def __init__(self, browser: Browser, system: System, camera: Camera) -> None:
        self.browser = browser
        self.system = system
        self.take = camera.take
        self._camera = camera
        self._contexts: list[BrowserContext] = []

    def open_browser(self, role: str = "", **browser: Any) -> Staff:
        """Opens a browser and signs in a user of this role, if any; `browser` are its options."""
        film = self._camera.films[0]
        size = {"width": film.width, "height": film.height}
        context = self.browser.new_context(
            base_url=self.system.address, viewport=size, timezone_id="UTC", **browser
        )
        self._contexts.append(context)
        person = Staff(context.new_page())
        if role:
            person.sign_in(f"{role}@demo.example", self.system.password)
        return person

    @contextmanager
    def without(self, words: str) -> Iterator[None]:
        """Stops processes by words of their command, and waits afterwards until all is well."""
        with self.system.without(words):
            yield
        self.wait_until_well()

    def wait_until_well(self) -> None:
        ready = f"http://127.0.0.1:{self.system.ports['PORTAL_INTERNAL_PORT']}/health/ready"
        wait_for(
            lambda: httpx.get(ready, timeout=60, trust_env=False).json()["status"] == "ready",
            pause=0.5,
        )

    def execute_sql(self, statement: str, *values: Any, store: str = "DATABASE_URL") -> None:
        """Runs SQL in the database that the variable `store` names."""
        with closing(psycopg2.connect(self.system.environment[store])) as connection, connection:
            connection.cursor().execute(statement, values)

    @contextmanager
    def chapter(self, title: str) -> Iterator[None]:
        self._camera.open_chapter(title)
        yield
        while self._contexts:
            self._contexts.pop().close()
