"""Archiving a patient, and its undo."""

from playwright.sync_api import expect

from portal.patients.models import Patient


def test_an_archived_patient_leaves_the_list_and_comes_back_by_undo(desk):
    address = desk.register()
    desk.open(address)
    desk.page.get_by_role("button", name="Archive").click()
    expect(desk.page.get_by_role("status").filter(has_text="SMITH, Jane")).to_be_visible()
    expect(desk.page.locator("tbody tr")).to_have_count(0)
    desk.is_readable_by_all()
    desk.page.get_by_role("button", name="Undo").click()
    expect(desk.page).to_have_url(address)
    assert Patient.objects.get().status == "active"


def test_the_page_of_an_archived_patient_says_so_and_restores(desk):
    address = desk.register()
    desk.open(address)
    desk.page.get_by_role("button", name="Archive").click()
    expect(desk.page.get_by_role("status").filter(has_text="SMITH, Jane")).to_be_visible()
    desk.open(address)
    expect(desk.page.get_by_text("This patient is archived")).to_be_visible()
    desk.is_readable_by_all()
    desk.page.get_by_role("button", name="Restore").click()
    expect(desk.page.get_by_role("button", name="Archive")).to_be_visible()
