"""The pages of one patient."""

from playwright.sync_api import expect

from tests.browser.screens.studio import Studio
from tests.browser.steps import Staff

IDA = {
    "family_name": "Hartmann",
    "given_name": "Ida",
    "born": ("11", "feb", "1979"),
    "sex": "Female",
}
CONTACT = {
    "prefix": "Dr",
    "phone": "020 7946 0042",
    "email": "ida.hartmann@mail.example",
    "address_line1": "4 Mill Lane",
    "city": "Leeds",
    "postal_code": "LS1 4AP",
    "country": "GB",
    "language": "de",
}


def take(studio: Studio) -> None:
    person = studio.open_browser("operator")
    address = person.register(**IDA, **CONTACT)
    expect(person.page.get_by_text("Billing: active")).to_be_visible()
    studio.take(person, "patient", "A patient just registered: her billing account is open")
    change(person, address)
    take_tabs(studio, person, address)
    take_conflict(studio, address)
    take_archived(studio, person, address)


def change(person: Staff, address: str) -> None:
    """Makes two changes, so that there is a history."""
    person.open(f"{address}edit/")
    person.fill_in(city="York", postal_code="YO1 7HH")
    save(person)
    person.open(f"{address}edit/")
    person.page.get_by_label("Kind of identifier").first.select_option("Insurance")
    person.fill_in(**{"identifiers-0-value": "INS-700 108"})
    save(person)


def save(person: Staff) -> None:
    person.save()
    expect(person.page.get_by_role("heading", name="Overview")).to_be_visible()


def take_tabs(studio: Studio, person: Staff, address: str) -> None:
    tabs = {
        "timeline": "Timeline: everything that happened to the record, day by day",
        "billing": "Billing: the account, and what billing knows",
        "identifiers": "Identifiers, with the time each is valid",
        "history": "History: who changed which field from what to what",
        "history/as-it-was": "The record as it was, beside what it says today",
        "access": "Access: who looked at this record",
        "label": "A label to print, with the MRN as a barcode",
        "edit": "Editing",
    }
    for place, words in tabs.items():
        more = "?version=1" if place == "history/as-it-was" else ""
        person.open(f"{address}{place}/{more}")
        expect(person.page.locator("h1")).to_be_visible()
        studio.take(person, f"patient-{place.rpartition('/')[2]}", words)


def take_conflict(studio: Studio, address: str) -> None:
    first, second = studio.open_browser("frontdesk"), studio.open_browser("clinician")
    for person, phone in ((second, "020 7946 0077"), (first, "020 7946 0099")):
        person.open(f"{address}edit/")
        person.fill_in(phone=phone)
    second.fill_in(city="Whitby")
    save(second)
    first.save()
    expect(first.page.get_by_text("Someone else changed this patient meanwhile")).to_be_visible()
    studio.take(
        first,
        "patient-conflict",
        "Two edited at once: both versions side by side, and nothing is lost",
    )


def take_archived(studio: Studio, person: Staff, address: str) -> None:
    person.open(address)
    person.page.get_by_role("button", name="Archive").click()
    undo = person.page.get_by_role("button", name="Undo")
    expect(undo).to_be_visible()
    studio.take(person, "patient-archiving", "Archived, and one press takes it back")
    person.open(address)
    studio.take(person, "patient-archived", "The page of an archived patient")
