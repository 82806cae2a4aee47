"""The operators' admin in a browser: see what needs somebody, and mend it without a shell."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from axes.models import AccessAttempt
from playwright.sync_api import expect

from portal.events.models import QuarantinedEvent
from portal.patients.models import EventOutbox


@pytest.fixture
def operator(staff, make_user):
    return staff(make_user("operator", full_name="Olu Operator", is_staff=True))


def press_action(person, row, action):
    person.page.locator("tr", has_text=row).get_by_role("checkbox").check()
    person.page.locator("select[name=action]").select_option(label=action)
    person.page.get_by_role("button", name="Run").click()


def has_no_serious_finding(person):
    """The theme's own markup has moderate ones: no landmark for the main part, for one."""
    found = Axe().run(person.page, options={"resultTypes": ["violations"]}).response["violations"]
    told = [(one["impact"], one["id"]) for one in found]
    assert not [one for one in told if one[0] in ("serious", "critical")], told


def test_somebody_who_is_locked_out_is_found_and_unlocked(operator, front_desk):
    AccessAttempt.objects.create(username=front_desk.email, ip_address="127.0.0.1", failures_since_start=8)
    operator.open("/admin/")
    operator.page.get_by_role("link", name="1 user is locked out after wrong passwords.").click()
    press_action(operator, front_desk.email, "Unlock: forget the wrong passwords")
    expect(operator.page.get_by_text("All of them may try again.")).to_be_visible()
    assert not AccessAttempt.objects.exists()


def test_a_quarantined_event_is_found_and_sent_again(operator):
    QuarantinedEvent.objects.create(event_id=7, reason="ValueError")
    operator.open("/admin/")
    operator.page.get_by_role("link", name="1 event could not be sent.").click()
    press_action(operator, "ValueError", "Send again")
    expect(operator.page.get_by_text("1 of 1 event(s) put back into the outbox.")).to_be_visible()
    assert EventOutbox.objects.filter(event_id=7).exists()


@pytest.mark.parametrize("width", [1280, 320])
def test_the_first_page_is_readable_and_leads_back_to_the_staff_pages(staff, make_user, width):
    person = staff(make_user("operator", is_staff=True), width=width)
    person.open("/admin/")
    expect(person.page.get_by_text("All could be sent.")).to_be_visible()
    has_no_serious_finding(person)
    assert person.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if width > 1000:
        person.page.get_by_role("link", name="Staff pages").click()
        expect(person.page.get_by_role("navigation", name="Main")).to_be_visible()
