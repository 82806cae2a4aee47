"""The operators' admin in a browser: see what needs an operator, and mend it without a shell."""

import pytest
from axes.models import AccessAttempt
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect

from portal.events.models import QuarantinedEvent
from portal.patients.models import EventOutbox
from tests.browser.test_every_address import examples

__all__ = ["examples"]
MIN_PAGES = 25  # With fewer pages the search for them would be at fault.


@pytest.fixture
def operator(staff, make_user):
    return staff(make_user("operator", full_name="Olu Operator", is_staff=True))


def press_action(person, row, action):
    person.page.locator("tr", has_text=row).get_by_role("checkbox").check()
    person.page.locator("select[name=action]").select_option(label=action)
    person.page.get_by_role("button", name="Run").click()


def pages_of_the_admin(user):
    """Returns every list and form that the user may open, and a history."""
    history = reverse("admin:accounts_user_history", args=[user.pk])
    client, addresses = Client(), ["/admin/", "/admin/password_change/", history]
    client.force_login(user)
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        addresses += [reverse(f"{name}_changelist"), reverse(f"{name}_add")]
        first = model._default_manager.first()
        if first:
            addresses.append(reverse(f"{name}_change", args=[first.pk]))
            addresses.append(reverse(f"{name}_delete", args=[first.pk]))
    return [address for address in addresses if client.get(address).status_code == 200]


def test_a_user_who_is_locked_out_is_found_and_unlocked(operator, front_desk):
    AccessAttempt.objects.create(
        username=front_desk.email, ip_address="127.0.0.1", failures_since_start=8
    )
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
    person.is_readable_by_all()
    if width > 1000:
        person.page.get_by_role("link", name="Staff pages").click()
        expect(person.page.get_by_role("navigation", name="Main")).to_be_visible()


@pytest.mark.usefixtures("examples")
def test_every_page_of_the_admin_is_accessible(staff, make_user):
    """Red when the theme or a page of ours has a finding, or is wider than its screen."""
    user = make_user("operator", is_staff=True)
    AccessAttempt.objects.create(
        username="nobody@clinic.example", ip_address="127.0.0.1", failures_since_start=8
    )
    QuarantinedEvent.objects.create(event_id=7, reason="ValueError")
    person, addresses = staff(user), pages_of_the_admin(user)
    assert len(addresses) >= MIN_PAGES
    for address in addresses:
        person.open(address)
        for width in (1280, 320):
            person.page.set_viewport_size({"width": width, "height": 800})
            person.is_readable_by_all()


def test_filters_and_errors_are_accessible(operator):
    operator.open("/admin/patients/patient/?q=nobody")
    operator.is_readable_by_all()
    operator.page.get_by_text("Filters").first.click()
    expect(operator.page.locator("#changelist-filter")).to_be_visible()
    operator.is_readable_by_all()
    operator.open("/admin/patients/patient/add/")
    operator.page.get_by_role("button", name="Save", exact=True).click()
    expect(operator.page.get_by_text("Enter a family name or a given name.")).to_be_visible()
    operator.is_readable_by_all()


def test_the_keyboard_reaches_the_main_part_and_on_a_phone_the_sidebar(staff, make_user):
    person = staff(make_user("operator", is_staff=True), width=320)
    person.open("/admin/")
    person.page.keyboard.press("Tab")
    expect(person.page.get_by_role("link", name="Skip to main content")).to_be_focused()
    person.page.keyboard.press("Enter")
    expect(person.page.get_by_role("main")).to_be_focused()
    sidebar = person.page.get_by_role("button", name="Sidebar")
    sidebar.press("Enter")
    expect(person.page.get_by_role("link", name="report Quarantined events")).to_be_visible()
    expect(sidebar).to_have_attribute("aria-expanded", "true")


def test_the_icon_is_served(operator):
    operator.open("/admin/")
    icon = operator.page.locator("link[rel=icon]").get_attribute("href")
    for address in (icon, "/favicon.ico"):
        answer = operator.page.request.get(address)
        assert (answer.status, answer.headers["content-type"]) == (200, "image/svg+xml")
