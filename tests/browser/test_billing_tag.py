"""The billing account's state follows without a reload."""

from playwright.sync_api import expect

from portal.billing.models import BillingAccount


def answered_by_billing():
    BillingAccount.objects.update(
        status="active", account_id="ACC-1", synced_version=1, next_attempt_at=None
    )


def test_pending_turns_active_by_itself_in_the_banner(desk):
    desk.register()
    expect(desk.page.get_by_text("Billing: pending")).to_be_visible()
    answered_by_billing()
    expect(desk.page.get_by_text("Billing: active")).to_be_visible()


def test_pending_turns_active_by_itself_in_the_tab(desk):
    address = desk.register()
    desk.open(f"{address}billing/")
    expect(desk.page.get_by_text("Not opened yet")).to_be_visible()
    answered_by_billing()
    expect(desk.page.get_by_text("ACC-1")).to_be_visible()
    desk.is_readable_by_all()


def test_billing_that_does_not_answer_shows_in_one_strip(desk):
    address = desk.register()
    BillingAccount.objects.update(last_error_code="UNAVAILABLE", attempts=3)
    desk.open(f"{address}billing/")
    expect(desk.page.get_by_text("Billing does not answer.")).to_be_visible()
    desk.is_readable_by_all()


def test_the_focus_and_the_live_region_stay_while_the_tab_follows(staff, make_user):
    person = staff(make_user("operator"))
    address = person.register()
    person.open(f"{address}billing/")
    person.page.evaluate("window.regions = [...document.querySelectorAll('main [aria-live]')]")
    button = person.page.get_by_role("button", name="Ask billing now")
    button.focus()
    person.page.evaluate("window.focused = document.activeElement")
    for _poll in range(2):
        with person.page.expect_response("**/billing/"):
            pass
    assert person.page.evaluate("document.activeElement === window.focused")
    BillingAccount.objects.update(attempts=2)
    expect(person.page.get_by_text("2 times")).to_be_visible()
    expect(button).to_be_focused()
    answered_by_billing()
    expect(person.page.get_by_text("ACC-1")).to_be_visible()
    assert person.page.evaluate(
        "window.regions.length && window.regions.every((r) => r.isConnected)"
    )
    assert not person.faults


def test_a_part_that_shows_something_else_is_brought_again(desk):
    """Red where a poll sends the tag of an answer that the page no longer shows."""
    desk.register()
    tags = desk.page.locator("#patient-tags")
    expect(tags).to_contain_text("Billing: pending")
    with desk.page.expect_response(lambda answer: answer.status == 304):
        pass
    desk.page.evaluate("document.querySelector('#patient-tags').firstElementChild.remove()")
    expect(tags).to_contain_text("Billing: pending")
