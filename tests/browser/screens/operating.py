"""What operators and auditors look at, and billing while it is away."""

from playwright.sync_api import expect

from tests.browser.screens.studio import Studio
from tests.browser.steps import Staff
from tests.waiting import wait_for


def take(studio: Studio) -> None:
    operator = studio.sit_down("operator")
    take_billing(studio, operator)
    take_audit(studio, studio.sit_down("auditor"))
    take_reconciliation(studio, operator)
    operator.open("/admin/")
    studio.take(operator, "admin", "The operators' admin opens with what needs somebody")


def take_billing(studio: Studio, operator: Staff) -> None:
    operator.open("/billing/?state=active")
    studio.take(operator, "billing-active", "Billing accounts by state")
    with studio.system.without("billing_grpc serve"):
        address = operator.register(family_name="Winter", given_name="Ada")
        operator.open("/billing/?state=pending")
        strip = operator.page.get_by_text("Billing is behind.")
        wait_for(lambda: operator.page.reload() and strip.is_visible(), pause=2)
        expect(operator.page.get_by_role("row").filter(has_text="WINTER, Ada")).to_be_visible()
        studio.take(operator, "billing-pending", "Billing is away: one strip says what still works, and accounts wait")
        operator.open(f"{address}billing/")
        expect(operator.page.get_by_text("Not opened yet")).to_be_visible()
        studio.take(operator, "patient-billing-pending", "The account of a patient meanwhile")
    operator.open(address)
    expect(operator.page.get_by_text("Billing: active")).to_be_visible()


def take_audit(studio: Studio, auditor: Staff) -> None:
    auditor.open("/audit/")
    studio.take(auditor, "audit", "Audit: who read and who changed which record, through which door")
    auditor.open("/audit/?kind=r")
    auditor.page.locator("tbody a").filter(has_text="patients").first.click()
    expect(auditor.page.get_by_role("heading", level=1)).to_be_visible()
    studio.take(auditor, "audit-one", "One reading of a list: everybody in it")


def take_reconciliation(studio: Studio, operator: Staff) -> None:
    operator.open("/reconciliation/")
    operator.page.get_by_role("button", name="Check now").click()
    expect(operator.page.get_by_text("Every copy agrees.")).to_be_visible()
    studio.take(operator, "reconciliation", "Reconciliation: do patients, log, topic, figures and billing agree?")
