"""The whole loop as the front desk sees it: no reload, and every process real."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import chromium
from tests.browser.steps import Staff
from tests.end_to_end.system import System
from tests.waits import wait_for

__all__ = ["chromium"]
pytestmark = pytest.mark.browser


@pytest.fixture
def sign_in_as(chromium, system: System):
    """Signs users in by role, each in a browser of their own."""
    contexts = []

    def sign_in(role: str) -> Staff:
        contexts.append(chromium.new_context(base_url=system.address))
        person = Staff(contexts[-1].new_page())
        person.sign_in(f"{role}@demo.example", system.password)
        return person

    yield sign_in
    for context in contexts:
        context.close()


def active_patients(person: Staff):
    return person.page.locator(".app-tile", has_text="Active patients").locator("dd")


def test_a_registration_moves_the_dashboard_without_a_reload(sign_in_as, system):
    manager, desk = sign_in_as("analyst"), sign_in_as("frontdesk")
    manager.open("/dashboard/")
    expect(manager.page.get_by_text("Live", exact=True)).to_be_visible()
    before = wait_for(system.caught_up, seconds=120)["active"]
    expect(active_patients(manager)).to_have_text(f"{before:,}")

    desk.register(family_name="Browser", given_name="Beatrix")
    expect(desk.page.get_by_text("Billing: active")).to_be_visible()
    expect(active_patients(manager)).to_have_text(f"{before + 1:,}")

    desk.open("/patients/?q=beatrix+brow")
    expect(desk.page.get_by_role("link", name="BROWSER, Beatrix")).to_be_visible()
    assert desk.faults == manager.faults == []


def test_an_uploaded_file_is_tried_then_imported_by_the_worker(sign_in_as):
    operator = sign_in_as("operator")
    operator.open("/imports/")
    rows = (
        "family_name,given_name,date_of_birth,sex\n"
        "Uploaded,Ursula,1979-02-11,female\n"
        "Wrong,Willy,30-02-1990,male\n"
    )
    upload = {"name": "people.csv", "mimeType": "text/csv", "buffer": rows.encode()}
    operator.page.get_by_label("File", exact=True).set_input_files(upload)
    operator.page.get_by_role("button", name="Upload").click()
    operator.page.get_by_role("button", name="Try it").click()
    expect(operator.page.get_by_text("Trial: done")).to_be_visible()
    operator.page.get_by_role("button", name="Import it now").click()
    expect(operator.page.locator(".nhsuk-tag", has_text="Done")).to_be_visible()

    operator.open("/patients/?q=ursula")
    operator.page.get_by_role("link", name="UPLOADED, Ursula").click()
    expect(operator.page.get_by_text("Billing: active")).to_be_visible()
    assert operator.faults == []


def test_billing_is_stopped_and_back_and_the_open_page_follows(sign_in_as, system):
    desk = sign_in_as("frontdesk")
    with system.without("billing_grpc serve"):
        address = desk.register(family_name="Stopped", given_name="Stella")
        expect(desk.page.get_by_text("Billing: pending")).to_be_visible()
        strip = desk.page.get_by_text("Billing is behind.")
        wait_for(lambda: desk.page.goto(f"{address}billing/") and strip.is_visible(), pause=1)
        expect(desk.page.get_by_text("Not opened yet")).to_be_visible()
        desk.open(address)
        expect(desk.page.get_by_role("heading", name="Overview")).to_be_visible()
    expect(desk.page.get_by_text("Billing: active")).to_be_visible()
    desk.page.get_by_role("link", name="Billing", exact=True).last.click()
    account = desk.page.locator("dd", has_text="BA-")
    expect(account).to_have_text(
        system.billing_account(address.rstrip("/").rpartition("/")[2]).account_id
    )
    assert desk.faults == []


def test_the_dashboard_is_stale_while_nothing_counts_and_then_catches_up(sign_in_as, system):
    manager, desk = sign_in_as("analyst"), sign_in_as("frontdesk")
    manager.open("/dashboard/")
    expect(manager.page.get_by_text("Live", exact=True)).to_be_visible()
    before = wait_for(system.caught_up, seconds=120)["active"]
    with system.without("analytics_stream worker"):
        expect(manager.page.get_by_text("Stale since")).to_be_visible()
        desk.register(family_name="Uncounted", given_name="Una")
        expect(active_patients(manager)).to_have_text(f"{before:,}")
    expect(manager.page.get_by_text("Live", exact=True)).to_be_visible()
    expect(active_patients(manager)).to_have_text(f"{before + 1:,}")
