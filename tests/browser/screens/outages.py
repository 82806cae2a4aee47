"""Pages while billing, Kafka or the figures are away."""

from playwright.sync_api import expect

from tests.browser.screens.operations import wait_until
from tests.browser.screens.studio import Studio
from tests.browser.steps import Staff

ADA = {"family_name": "Winter", "given_name": "Ada"}
BEN = {"family_name": "Quill", "given_name": "Ben", "born": ("9", "nov", "1990"), "sex": "Male"}


def take(studio: Studio) -> None:
    operator = studio.open_browser("operator")
    take_billing(studio, operator)
    with studio.without("embedded.broker"):
        address = operator.register(**BEN)
        wait_until(operator, address, "Events are late.")
        studio.take(
            operator,
            "away-kafka",
            "Kafka is away: patients are saved, and one strip says what follows later",
        )
    with studio.without("analytics_stream worker"):
        wait_until(operator, "/patients/?q=winter", "Live figures are away.")
        studio.take(operator, "away-analytics", "The figures are away: everything else works")


def take_billing(studio: Studio, operator: Staff) -> None:
    with studio.without("billing_grpc serve"):
        address = operator.register(**ADA)
        wait_until(operator, "/billing/?state=pending", "Billing is behind.")
        expect(operator.page.get_by_role("row").filter(has_text="WINTER, Ada")).to_be_visible()
        studio.take(
            operator,
            "billing-pending",
            "Billing is away: one strip says what still works, and accounts wait",
        )
        operator.open(f"{address}billing/")
        expect(operator.page.get_by_text("Not opened yet")).to_be_visible()
        studio.take(operator, "patient-billing-pending", "The account of a patient meanwhile")
    operator.open(address)
    expect(operator.page.get_by_text("Billing: active")).to_be_visible()
