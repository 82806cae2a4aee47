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
