"""The dashboard moves by itself and says how sure it is."""

import pytest
from playwright.sync_api import expect

from portal.analytics import selectors
from portal.analytics.client import FiguresClient
from tests.browser.figures import running_processor, some_figures


@pytest.fixture
def processor(monkeypatch):
    with running_processor() as running:
        monkeypatch.setattr(selectors, "client", FiguresClient(running.address))
        yield running


def tile(person, label):
    return person.page.locator(".app-tile", has_text=label).locator("dd")


def test_figures_move_without_a_reload_and_an_opened_table_stays_open(desk, processor):
    desk.open("/dashboard/")
    expect(tile(desk, "Active patients")).to_have_text("12")
    table = desk.page.locator("#table-days")
    table.locator("summary").click()
    processor.figures = some_figures(active=1234)
    expect(tile(desk, "Active patients")).to_have_text("1,234")
    expect(table).to_have_attribute("open", "")
    expect(desk.page.get_by_text("Live", exact=True)).to_be_visible()
    expect(desk.page.get_by_text("0.4 s behind")).to_be_visible()
    desk.is_readable_by_all()


def test_the_last_known_figures_stay_when_the_stream_is_away(desk, processor):
    desk.open("/dashboard/")
    expect(desk.page.get_by_text("Live", exact=True)).to_be_visible()
    processor.figures = None
    expect(desk.page.get_by_text("Stale since")).to_be_visible()
    expect(tile(desk, "Active patients")).to_have_text("12")
    desk.is_readable_by_all()
    processor.figures = some_figures(active=13)
    expect(desk.page.get_by_text("Live", exact=True)).to_be_visible()
    expect(tile(desk, "Active patients")).to_have_text("13")


def test_a_lost_portal_is_said_too(desk, processor):
    desk.open("/dashboard/")
    desk.page.context.set_offline(True)
    expect(desk.page.get_by_text("Reconnecting")).to_be_visible()
    desk.page.context.set_offline(False)
    expect(desk.page.get_by_text("Live", exact=True)).to_be_visible()


def test_a_pause_holds_the_figures(desk, processor):
    desk.open("/dashboard/")
    desk.page.get_by_role("button", name="Pause").click()
    processor.figures = some_figures(active=99)
    expect(desk.page.get_by_text("Paused at")).to_be_visible()
    desk.page.get_by_role("button", name="Go on").click()
    expect(tile(desk, "Active patients")).to_have_text("99")


def test_figures_that_were_never_seen_are_said_to_be_away(desk, monkeypatch):
    monkeypatch.setattr(selectors, "client", FiguresClient("http://127.0.0.1:1"))
    desk.open("/dashboard/")
    expect(desk.page.get_by_role("heading", name="No figures yet")).to_be_visible()
    desk.is_readable_by_all()


def test_the_figures_are_there_without_scripts(staff, front_desk, processor):
    person = staff(front_desk, scripts=False)
    person.open("/dashboard/")
    expect(tile(person, "Active patients")).to_have_text("12")
    person.page.locator("#table-days summary").click()
    expect(person.page.locator("#table-days tbody tr")).to_have_count(90)
