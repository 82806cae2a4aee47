"""The dashboard: each range, on the wall, and without the part that counts."""

from playwright.sync_api import expect

from tests.browser.screens.studio import Studio
from tests.browser.steps import Staff

RANGES = {"1h": "the last hour", "24h": "the last day", "30d": "the last 30 days"}


def take(studio: Studio) -> None:
    person = studio.open_browser("analyst")
    for key, words in RANGES.items():
        open_live(person, f"/dashboard/?range={key}")
        studio.take(person, f"dashboard-{key}", f"Dashboard of {words}")
    open_live(person, "/dashboard/?range=30d&kiosk=1")
    studio.take(person, "dashboard-kiosk", "The dashboard on a wall")
    open_live(person, "/dashboard/?range=30d")
    with studio.without("analytics_stream worker"):
        expect(person.page.get_by_text("Stale since")).to_be_visible()
        studio.take(
            person,
            "dashboard-stale",
            "Nothing counts at the moment: the last known figures, and since when",
        )
        expect(person.page.locator(".app-badge--stale")).to_be_visible()


def open_live(person: Staff, address: str) -> None:
    person.open(address)
    expect(person.page.locator(".uplot").first).to_be_visible()
    expect(person.page.get_by_text("Live", exact=True)).to_be_visible()
