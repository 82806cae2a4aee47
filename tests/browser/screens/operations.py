"""The pages of operators and auditors: billing accounts, audit and reconciliation."""

from playwright.sync_api import expect

from tests.browser.screens.studio import Studio
from tests.browser.steps import Staff
from tests.waits import wait_for

# Somebody wrote a note where the address belongs, past every form: billing refuses it.
NO_ADDRESS = "UPDATE patients_patient SET email = 'rings back' WHERE id = %s"
MENDED = "UPDATE patients_patient SET email = '' WHERE email = 'rings back'"
LOST_ACCOUNT = "DELETE FROM billing_account WHERE patient_id = %s"
LOST_FIGURES = "DELETE FROM patient_state WHERE patient_id = %s"
REFUSED = {"Hale": "Martha", "Osei": "Daniel"}


def take(studio: Studio) -> None:
    operator = studio.open_browser("operator")
    operator.open("/billing/?state=active")
    studio.take(operator, "billing-active", "Billing accounts by state")
    take_refused(studio, operator)
    take_audit(studio, studio.open_browser("auditor"))
    take_reconciliation(studio, operator)


def take_refused(studio: Studio, operator: Staff) -> None:
    for family, given in REFUSED.items():
        address = operator.register(family_name=family, given_name=given)
        expect(operator.page.get_by_text("Billing: active")).to_be_visible()
        studio.execute_sql(NO_ADDRESS, id_of(address))
    wait_until(operator, "/billing/?state=failed", f"{family.upper()}, {given}")
    studio.take(
        operator,
        "billing-failed",
        "Accounts that billing refused: why, what to do, and asking again",
    )
    operator.open(f"{address}billing/")
    expect(operator.page.get_by_text("Billing refused this account")).to_be_visible()
    studio.take(operator, "patient-billing-failed", "The account of a patient that billing refused")
    operator.open("/admin/")
    studio.take(
        operator,
        "admin-needs-you",
        "The operators' admin opens with what needs an operator: here refused accounts",
    )
    studio.execute_sql(MENDED)
    wait_until(operator, "/billing/?state=failed", "Billing has refused no account.")


def take_audit(studio: Studio, auditor: Staff) -> None:
    auditor.open("/audit/")
    studio.take(
        auditor, "audit", "Audit: who read and who changed which record, through which channel"
    )
    person = auditor.page.get_by_label("Person")
    person.select_option(
        value=person.locator("option", has_text="Demo operator").get_attribute("value")
    )
    auditor.page.get_by_label("Show").select_option(label="Writes only")
    auditor.page.get_by_role("button", name="Show").click()
    expect(auditor.page.get_by_role("link", name="Export as CSV")).to_be_visible()
    studio.take(
        auditor, "audit-export", "What a user changed in a week; the export holds just that"
    )
    auditor.open("/audit/?kind=r")
    auditor.page.locator("tbody a").filter(has_text="patients").first.click()
    expect(auditor.page.locator(".app-numbers")).to_be_visible()
    studio.take(auditor, "audit-one", "An access record of a list: every patient in it")
    auditor.open("/audit/?patient=10000012&kind=w&since=1-Jan-2020&until=2-Jan-2020")
    studio.take(auditor, "audit-nobody", "Audit: nobody did this in these days")


def take_reconciliation(studio: Studio, operator: Staff) -> None:
    check(operator, "Check now", "Every copy agrees.")
    studio.take(
        operator,
        "reconciliation",
        "Reconciliation: do patients, log, topic, figures and billing agree?",
    )
    ids = [
        id_of(operator.register(family_name=name, given_name="Ruth"))
        for name in ("Ferris", "Gower")
    ]
    expect(operator.page.get_by_text("Billing: active")).to_be_visible()
    studio.execute_sql(LOST_ACCOUNT, ids[0], store="BILLING_DATABASE_URL")
    studio.execute_sql(LOST_FIGURES, ids[1], store="ANALYTICS_DATABASE_URL")
    check(operator, "Check now", "What differs, and what to do")
    studio.take(
        operator,
        "reconciliation-differs",
        "Copies that differ: where, who, and what to do about it",
    )
    check(operator, "Check and repair", "What the repair did")
    studio.wait_until_well()
    operator.page.reload()
    studio.take(operator, "reconciliation-repaired", "What the repair did")
    operator.open("/reconciliation/")
    studio.take(operator, "reconciliation-all", "All checks, by hand and by night")


def check(operator: Staff, button: str, words: str) -> None:
    operator.open("/reconciliation/")
    operator.page.get_by_role("button", name=button, exact=True).click()
    expect(operator.page.get_by_text(words)).to_be_visible()


def wait_until(person: Staff, address: str, words: str) -> None:
    """Open the page until it says so."""
    person.open(address)
    found = person.page.get_by_text(words)
    wait_for(
        lambda: found.first.is_visible() or (person.page.reload() and found.first.is_visible()),
        pause=1,
    )


def id_of(address: str) -> str:
    return address.rstrip("/").rpartition("/")[2]
