"""The dashboard's live part costs nothing while nothing moves."""

import pytest

from portal.analytics import selectors
from portal.analytics.client import FiguresClient
from portal.analytics.models import LastFigures
from tests.browser.figures import running_processor, some_figures

pytestmark = pytest.mark.django_db


@pytest.fixture
def processor(monkeypatch):
    with running_processor() as running:
        monkeypatch.setattr(selectors, "client", FiguresClient(running.address))
        monkeypatch.setattr("portal.analytics.client.TIMEOUT", 60)  # The machine may be slow.
        yield running


def test_a_poll_gets_304_until_a_figure_moves(client, make_user, processor, monkeypatch):
    monkeypatch.setattr("portal.analytics.client.FRESH_SECONDS", 0)
    client.force_login(make_user("analyst"))
    first = client.get("/dashboard/live/")
    asked = {"If-None-Match": first["ETag"]}
    assert client.get("/dashboard/live/", headers=asked).status_code == 304
    processor.figures = some_figures(active=1234)
    assert "1,234" in client.get("/dashboard/live/", headers=asked).content.decode()


def test_every_figure_has_its_numbers_in_a_table(client, make_user, processor):
    client.force_login(make_user("analyst"))
    page = client.get("/dashboard/").content.decode()
    assert page.count("<figure") == page.count("<table") == 7


def test_without_the_processor_the_last_known_figures_say_since_when(
    client, make_user, monkeypatch
):
    monkeypatch.setattr(selectors, "client", FiguresClient("http://127.0.0.1:1"))
    figures = some_figures(active=77)
    LastFigures.objects.create(figures=figures, taken_at=figures["asOf"])
    client.force_login(make_user("analyst"))
    page = client.get("/dashboard/").content.decode()
    assert "Stale since" in page
    assert ", the last known<" in page
    assert " s behind" not in page
    assert "77" in page


def test_kept_figures_stand_in_the_order_of_the_live_ones(client, make_user, monkeypatch):
    """Red when bars are shown as the database gives their names back: the shortest first."""
    monkeypatch.setattr(selectors, "client", FiguresClient("http://127.0.0.1:1"))
    figures = some_figures()
    LastFigures.objects.create(figures=figures, taken_at=figures["asOf"])
    client.force_login(make_user("analyst"))
    page = client.get("/dashboard/").content.decode()
    for names in (
        ["0-17", "18-39", "40-64", "65-79", "80+"],
        ["Female", "Male", "Other"],
        ["Massachusetts", "Vermont"],
    ):
        places = [page.index(f">{name}</th>") for name in names]
        assert places == sorted(places), names


def test_figures_of_an_older_version_lack_a_line_and_no_page(client, make_user, processor):
    figures = some_figures()
    for name in ("registrationsByMinute", "eventsByDay", "eventsByHour"):
        del figures[name]
    processor.figures = figures
    client.force_login(make_user("analyst"))
    for key in ("1h", "24h", "30d"):
        page = client.get("/dashboard/", {"range": key}).content.decode()
        assert page.count("The part that counts does not tell this yet.") == 1


@pytest.mark.parametrize(
    ("role", "stays"), [("analyst", True), ("front desk", False), ("operator", False)]
)
def test_only_who_sees_nothing_but_figures_stays_signed_in_on_a_wall(
    client, make_user, processor, role, stays
):
    """Red when a kiosk keeps the session of somebody who may open patients."""
    client.force_login(make_user(role))
    assert ("data-stays" in client.get("/dashboard/?kiosk=1").content.decode()) is stays
    assert "data-stays" not in client.get("/dashboard/").content.decode()
