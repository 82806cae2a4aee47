"""Editing a patient, also at two desks at once."""

from django.utils import timezone
from playwright.sync_api import expect

from portal.patients.models import Patient, PatientEvent


def test_a_change_shows_in_the_overview_and_in_the_history(desk):
    address = desk.register()
    desk.open(f"{address}edit/")
    desk.fill_in(phone="555 0199", born=("6", "4", "2008"))
    desk.save()
    expect(desk.page.get_by_text("555 0199")).to_be_visible()
    desk.page.get_by_role("link", name="History").click()
    row = desk.page.get_by_role("row", name="Date of birth").first
    expect(row).to_contain_text("05-Apr-2008")
    expect(row).to_contain_text("06-Apr-2008")
    desk.is_readable_by_all()


def test_saving_without_a_change_writes_nothing(desk):
    address = desk.register()
    desk.open(f"{address}edit/")
    desk.save()
    expect(desk.page).to_have_url(address)
    assert PatientEvent.objects.count() == 1


def test_two_desks_that_edit_one_patient_lose_nothing(staff, front_desk, make_user):
    first, second = staff(front_desk), staff(make_user("clinician"))
    address = first.register(phone="555 0100")
    first.open(f"{address}edit/")
    second.open(f"{address}edit/")
    second.fill_in(city="Boston", phone="555 0122")
    second.save()
    expect(second.page.get_by_text("555 0122")).to_be_visible()

    first.fill_in(email="jane@example.org", phone="555 0111")
    first.save()
    both = first.page.locator(".nhsuk-error-summary")
    expect(both).to_contain_text("Someone else changed this patient meanwhile")
    expect(both.get_by_role("row", name="Phone")).to_contain_text("555 0122")
    expect(both.get_by_role("row", name="Phone")).to_contain_text("555 0111")
    expect(first.page.locator("#id_city")).to_have_value("Boston")
    expect(first.page.locator("#id_email")).to_have_value("jane@example.org")
    first.is_readable_by_all()

    first.save()
    expect(first.page.get_by_text("jane@example.org")).to_be_visible()
    patient = Patient.objects.get()
    assert (patient.city, patient.phone, patient.email) == (
        "Boston",
        "555 0111",
        "jane@example.org",
    )


def test_an_identifier_is_added_and_taken_away(desk):
    address = desk.register()
    desk.open(f"{address}edit/")
    desk.page.get_by_label("Kind of identifier").select_option("Insurance")
    desk.fill_in(**{"identifiers-0-value": "AB 12"})
    desk.save()
    expect(desk.page.get_by_text("AB12")).to_be_visible()
    desk.open(f"{address}edit/")
    desk.page.get_by_label("Kind of identifier", exact=True).select_option("Choose")
    desk.fill_in(**{"identifiers-0-value": ""})
    desk.save()
    expect(desk.page.get_by_role("heading", name="Overview")).to_be_visible()
    assert not Patient.objects.get().identifiers.exists()


def test_the_form_shows_how_it_understands_typed_values(desk):
    address = desk.register(phone="617 555 0100")
    desk.open(f"{address}edit/")
    expect(desk.page.locator("#hint-birth")).to_have_text("5 April 2008, 18 years")
    expect(desk.page.locator("#hint-phone")).to_have_text("Understood as +1 617-555-0100")
    desk.fill_in(born=("1", "1", "1931"), phone="555")
    expect(desk.page.locator("#hint-birth")).to_have_text(
        f"1 January 1931, {timezone.localdate().year - 1931} years"
    )
    expect(desk.page.locator("#hint-phone")).to_have_text(
        "Kept as typed: not a whole number of United States"
    )
    desk.is_readable_by_all()


def test_the_validity_of_an_identifier_is_echoed_and_shown(desk):
    address = desk.register()
    desk.open(f"{address}edit/")
    desk.page.get_by_label("Kind of identifier").select_option("Passport")
    desk.fill_in(
        **{
            "identifiers-0-value": "P 1",
            "identifiers-0-valid_from": "15 mar 20",
            "identifiers-0-valid_to": "2020-03-14",
        }
    )
    expect(desk.page.locator("#hint-validity-0")).to_have_text("Valid from 15-Mar-2020")
    desk.save()
    expect(
        desk.page.get_by_role("link", name="Valid to is before valid from. Check both dates.")
    ).to_be_visible()
    desk.is_readable_by_all()
    desk.fill_in(**{"identifiers-0-valid_to": "14/3/30"})
    expect(desk.page.locator("#hint-validity-0")).to_have_text("Valid 15-Mar-2020 to 14-Mar-2030")
    desk.save()
    desk.page.get_by_role("link", name="Identifiers").click()
    expect(desk.page.get_by_role("row", name="Passport")).to_contain_text("14-Mar-2030")
