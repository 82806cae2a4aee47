"""A portal without patients: what the chapters before made is deleted in the database."""

from playwright.sync_api import expect

from tests.browser.screens.studio import Studio
from tests.browser.steps import Staff

TABLES = """patients_patient, patients_patientevent, patients_accessrecord, billing_billingaccount,
    imports_importjob, imports_mappingprofile, reconciliation_reconcilereport"""
PAGES = {
    "empty-patients": ("/patients/", "No patients yet", "No patient yet: the way to the first one"),
    "empty-imports": ("/imports/", "None yet.", "No import yet"),
    "empty-saved-columns": ("/imports/columns/", "None yet.", "No saved columns yet"),
    "empty-billing": (
        "/billing/?state=active",
        "There is no active account yet.",
        "No account yet",
    ),
    "empty-reconciliation": ("/reconciliation/", "Nothing was checked yet.", "No check yet"),
}


def take(studio: Studio) -> None:
    operator = studio.open_browser("operator")
    studio.execute_sql(f"TRUNCATE {TABLES} CASCADE")
    for name, (address, seen, words) in PAGES.items():
        show(operator, address, seen)
        studio.take(operator, name, words)
    auditor = studio.open_browser("auditor")
    show(auditor, "/audit/", "Nobody did this")
    studio.take(auditor, "empty-audit", "Nobody has read or changed anything yet")


def show(person: Staff, address: str, seen: str) -> None:
    person.open(address)
    expect(person.page.get_by_text(seen).first).to_be_visible()
