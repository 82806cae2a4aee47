"""Possible duplicates: shown while the clerk types, moving nothing, decided once."""

import re

import pytest
from playwright.sync_api import expect

from portal.patients.models import AccessRecord, Patient, PatientEvent
from tests.browser.steps import JANE
from tests.portal.conftest import PASSWORD

FIELDS = (
    "#id_family_name, #id_date_of_birth_0, #id_sex, #id_phone, "
    "#id_identifiers-0-value, .app-actions button"
)
BOXES = """all => all
    .map(element => element.getBoundingClientRect())
    .map(box => [box.x, box.y + scrollY, box.width, box.height])
"""


def places(desk):
    return desk.page.locator(FIELDS).evaluate_all(BOXES)


def is_listed(desk, name="SMITH, Jane"):
    expect(desk.page.locator("#similar").get_by_role("link", name=name)).to_be_visible()


@pytest.mark.parametrize("width", [1280, 320])
def test_the_panel_shows_a_match_while_the_clerk_types(staff, front_desk, width):
    desk = staff(front_desk, width=width)
    desk.register()
    desk.open("/patients/new/")
    expect(desk.page.get_by_text("Nobody so far")).to_be_visible()
    before = places(desk)
    desk.fill_in(family_name="smyth", given_name="jane", born=("5", "4", "2008"))
    is_listed(desk)
    panel = desk.page.locator("#similar")
    expect(panel).to_contain_text("1 patient may be this person.")
    expect(panel).to_contain_text("Probable")
    expect(panel).to_contain_text(
        "One letter off in the family name, same given name, same date of birth"
    )
    assert places(desk) == before
    desk.is_readable_by_all()
    assert AccessRecord.objects.filter(action="similar").count() == 1


def test_the_override_reason_is_given_once_and_logged(desk):
    desk.register()
    desk.open("/patients/new/")
    desk.fill_in(**{**JANE, "given_name": "Joan"})
    is_listed(desk)
    desk.page.get_by_label("Twin, brother or sister").check()
    desk.fill_in(phone="617 555 0100")
    expect(desk.page.locator("#hint-phone")).to_have_text("Understood as +1 617-555-0100")
    desk.save()
    expect(desk.page.get_by_text("Registered with MRN")).to_be_visible()
    jane, joan = Patient.objects.order_by("pk")
    context = PatientEvent.objects.get(pgh_obj=joan).pgh_context
    assert (context["duplicate_reason"], context["similar"]) == (
        "Twin, brother or sister",
        [str(jane.pk)],
    )


@pytest.mark.parametrize("scripts", [True, False])
def test_registering_beside_a_match_needs_an_override_reason(staff, front_desk, scripts):
    desk = staff(front_desk, scripts=scripts)
    desk.register()
    desk.open("/patients/new/")
    desk.fill_in(**JANE, phone="555 0100")
    desk.save()
    alert = desk.page.get_by_role("alert").filter(has_text="There is a problem")
    expect(alert).to_contain_text(
        "Open the patient who is here already, or choose why this is another person."
    )
    is_listed(desk)
    expect(desk.page.locator("#id_phone")).to_have_value("555 0100")
    if scripts:
        desk.is_readable_by_all()
    alert.get_by_role("link").click()
    desk.page.get_by_label("Another reason").check()
    desk.page.get_by_label("Which other reason").fill("The same name by chance")
    desk.save()
    expect(desk.page.get_by_text("Registered with MRN")).to_be_visible()
    context = PatientEvent.objects.order_by("-pgh_id").first().pgh_context
    assert context["duplicate_reason"] == "The same name by chance"


def test_a_family_that_shares_a_phone_is_shown_without_a_question(desk):
    desk.register(phone="617 555 0100")
    desk.open("/patients/new/")
    desk.fill_in(
        family_name="Jones",
        given_name="Ann",
        born=("1", "2", "1980"),
        sex="Female",
        phone="(617) 5550100",
    )
    is_listed(desk)
    expect(desk.page.locator("#similar")).to_contain_text("Possible")
    expect(desk.page.locator("#similar").get_by_role("radio")).to_have_count(0)
    desk.save()
    expect(desk.page.get_by_text("Registered with MRN")).to_be_visible()


def test_enter_in_the_panel_opens_or_chooses_and_never_saves(desk):
    address = desk.register()
    desk.open("/patients/new/")
    desk.fill_in(**JANE)
    is_listed(desk)
    radio = desk.page.get_by_label("Parent and child of one name")
    radio.focus()
    radio.press("Enter")
    expect(radio).to_be_checked()
    desk.page.get_by_label("Which other reason").press("Enter")
    assert desk.page.url.endswith("/patients/new/")
    assert Patient.objects.count() == 1
    desk.page.get_by_role("link", name="Open SMITH, Jane").press("Enter")
    expect(desk.page).to_have_url(address)
    assert Patient.objects.count() == 1


def test_age_and_postal_code_have_hints_beside_the_form(desk):
    desk.open("/patients/new/")
    desk.fill_in(born=("", "", "1931"), postal_code="ls14ap", country="gb")
    expect(desk.page.locator("#hint-birth")).to_contain_text("about")
    expect(desk.page.locator("#hint-birth")).to_contain_text("years, born in 1931 or so")
    expect(desk.page.locator("#hint-postal-code")).to_have_text("Understood as LS1 4AP")


def test_without_a_network_the_text_stays_and_saves_later(desk):
    desk.open("/patients/new/")
    desk.fill_in(**JANE)
    desk.page.context.set_offline(True)
    desk.save()
    expect(desk.page.get_by_role("alert")).to_contain_text("Nothing was saved")
    expect(desk.page.locator("#id_family_name")).to_have_value("Smith")
    desk.page.context.set_offline(False)
    desk.faults.clear()  # The panel could not ask either, and the browser says so.
    desk.save()
    expect(desk.page.get_by_text("Registered with MRN")).to_be_visible()
    assert Patient.objects.count() == 1


@pytest.mark.parametrize("scripts", [True, False])
def test_a_person_who_cannot_be_identified_takes_one_press(staff, front_desk, scripts):
    desk = staff(front_desk, scripts=scripts)
    desk.open("/patients/new/")
    desk.page.get_by_role("button", name="The person cannot be identified").click()
    expect(desk.page.get_by_text("Registered with MRN")).to_be_visible()
    expect(desk.page.locator(".app-banner")).to_contain_text("UNKNOWN")
    patient = Patient.objects.get()
    assert (patient.sex, patient.date_of_birth) == ("unknown", None)


def test_after_a_session_ends_the_text_is_back_without_the_reason(desk, front_desk):
    desk.register()
    desk.open("/patients/new/")
    desk.fill_in(**{**JANE, "given_name": "Joan"})
    is_listed(desk)
    desk.page.get_by_label("Twin, brother or sister").check()
    desk.page.context.clear_cookies(name="sessionid")
    desk.save()
    expect(desk.page).to_have_title(re.compile("Sign in"))
    desk.faults.clear()  # The browser says that the session was over.
    desk.page.get_by_label("E-mail").fill(front_desk.email)
    desk.page.get_by_label("Password", exact=True).fill(PASSWORD)
    desk.page.get_by_role("button", name="Sign in").click()
    expect(desk.page.locator("#id_given_name")).to_have_value("Joan")
    is_listed(desk)
    desk.page.get_by_label("Twin, brother or sister").check()
    desk.save()
    expect(desk.page.get_by_text("Registered with MRN")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_change_that_makes_a_duplicate_asks_once(staff, front_desk, scripts):
    desk = staff(front_desk, scripts=scripts)
    desk.register()
    address = desk.register(given_name="Joan", born=("1", "2", "1990"))
    desk.open(f"{address}edit/")
    before = places(desk) if scripts else None
    desk.fill_in(given_name="Jane", born=("5", "4", "2008"))
    if scripts:
        is_listed(desk)
        assert places(desk) == before
    desk.save()
    alert = desk.page.get_by_role("alert").filter(has_text="There is a problem")
    expect(alert).to_contain_text(
        "Open the patient who is here already, or choose why this is another person."
    )
    is_listed(desk)
    if scripts:
        desk.is_readable_by_all()
    desk.page.get_by_label("Parent and child of one name").check()
    desk.save()
    expect(desk.page.get_by_role("heading", name="Overview")).to_be_visible()
    desk.page.get_by_role("link", name="History").click()
    expect(desk.page.get_by_role("row", name="Given name").first).to_contain_text(
        "Parent and child of one name"
    )
