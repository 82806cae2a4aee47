"""A whole portal, a browser and a camera: what each chapter of pictures works with."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext

from tests.browser.screens.camera import Camera
from tests.browser.steps import Staff
from tests.end_to_end.system import System


class Studio:
    """People sit down at screens of their own; at the end of a chapter all of them go."""

    def __init__(self, browser: Browser, system: System, camera: Camera) -> None:
        self.browser = browser
        self.system = system
        self.take = camera.take
        self._camera = camera
        self._contexts: list[BrowserContext] = []

    def sit_down(self, role: str = "") -> Staff:
        """Somebody of this role who has signed in; without a role a stranger."""
        film = self._camera.films[0]
        size = {"width": film.width, "height": film.height}
        context = self.browser.new_context(base_url=self.system.address, viewport=size, timezone_id="UTC")
        self._contexts.append(context)
        person = Staff(context.new_page())
        if role:
            person.sign_in(f"{role}@demo.example", self.system.password)
        return person

    @contextmanager
    def chapter(self, title: str) -> Iterator[None]:
        self._camera.open_chapter(title)
        yield
        while self._contexts:
            self._contexts.pop().close()
