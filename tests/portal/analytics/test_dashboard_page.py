"""The dashboard's page and its live part."""

import pytest

from portal.analytics import selectors
from portal.analytics.client import FiguresClient
from portal.analytics.models import LastFigures
from tests.browser.figures import make_figures, run_processor

pytestmark = pytest.mark.django_db


@pytest.fixture
def processor(monkeypatch):
    with run_processor() as running:
        monkeypatch.setattr(selectors, "client", FiguresClient(running.address))
        monkeypatch.setattr("portal.analytics.client.TIMEOUT", 60)  # The machine may be slow.
        yield running


def test_a_poll_gets_304_until_a_figure_moves(client, make_user, processor, monkeypatch):
    monkeypatch.setattr("portal.analytics.client.TTL_SECONDS", 0)
    client.force_login(make_user("analyst"))
    first = client.get("/dashboard/live/")
    known = {"If-None-Match": first["ETag"]}
    assert client.get("/dashboard/live/", headers=known).status_code == 304
    processor.figures = make_figures(active=1234)
    assert "1,234" in client.get("/dashboard/live/", headers=known).content.decode()


def test_every_figure_has_its_numbers_in_a_table(client, make_user, processor):
    client.force_login(make_user("analyst"))
    page = client.get("/dashboard/").content.decode()
    assert page.count("<figure") == page.count("<table") == 7


def test_without_the_processor_the_snapshot_tells_its_age(client, make_user, monkeypatch):
    monkeypatch.setattr(selectors, "client", FiguresClient("http://127.0.0.1:1"))
    figures = make_figures(active=77)
    LastFigures.objects.create(figures=figures, taken_at=figures["asOf"])
    client.force_login(make_user("analyst"))
    page = client.get("/dashboard/").content.decode()
    assert "Stale since" in page
    assert ", the last known<" in page
    assert " s behind" not in page
    assert "77" in page


def test_the_bars_of_a_snapshot_are_in_the_usual_order(client, make_user, monkeypatch):
    """Red when bars are shown in the order in which the database returns their names."""
    monkeypatch.setattr(selectors, "client", FiguresClient("http://127.0.0.1:1"))
    figures = make_figures()
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
    figures = make_figures()
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
def test_only_a_user_who_sees_nothing_but_figures_stays_signed_in(
    client, make_user, processor, role, stays
):
    """Red when a kiosk keeps the session of a user who may open patients."""
    client.force_login(make_user(role))
    assert ("data-stays" in client.get("/dashboard/?kiosk=1").content.decode()) is stays
    assert "data-stays" not in client.get("/dashboard/").content.decode()
