"""Registering a patient: by keyboard, in a hurry, twice, without scripts."""

import pytest
from playwright.sync_api import expect

from portal.billing.models import BillingAccount
from portal.patients.models import Patient, PatientEvent
from tests.browser.steps import JANE


def test_a_patient_is_registered_with_30_keys_beside_the_text(desk):
    """From a search without hits to the patient's page; `pressed` counts keys beside the text."""
    pressed = []

    def press(key):
        pressed.append(key)
        desk.page.keyboard.press(key)

    def type_into(focused, text):
        expect(desk.page.locator(focused)).to_be_focused()
        desk.page.keyboard.type(text)

    desk.open("/patients/new/?text=smith")
    expect(desk.page.locator("#id_family_name")).to_have_value("Smith")
    expect(desk.page.locator("#id_family_name")).to_be_focused()
    press("Tab")
    type_into("#id_given_name", "Jane")
    for box, part in ((1, "apr"), (0, "5"), (2, "2008")):  # The month is the first box in the US.
        press("Tab")
        type_into(f"#id_date_of_birth_{box}", part)
    press("Tab")  # An age instead
    press("Tab")  # Neither is known
    press("Tab")
    press("Space")  # Female
    for _ in range(5):  # Middle names, called, title, suffix
        press("Tab")
    type_into("#id_phone", "617 555 0100")
    press("Control+Enter")
    expect(desk.page.get_by_text("Registered with MRN")).to_be_visible()
    banner = desk.page.locator(".app-banner")
    for words in ("SMITH, Jane", "05-Apr-2008", "Billing: pending"):
        expect(banner).to_contain_text(words)
    assert len(pressed) <= 30
    assert Patient.objects.get().phone_e164 == "+16175550100"


def test_an_empty_form_says_what_is_missing_and_leads_there(desk):
    desk.open("/patients/new/")
    desk.save()
    expect(desk.page).to_have_title("Error: Register a patient – Patient Portal")
    summary = desk.page.locator(".nhsuk-error-summary")
    expect(summary).to_be_focused()
    expect(summary.get_by_role("link")).to_have_count(3)
    summary.get_by_role("link", name="Enter the date of birth").click()
    expect(desk.page.locator("#id_date_of_birth_1")).to_be_focused()
    desk.is_readable_by_all()


@pytest.mark.parametrize(
    "born", [("15", "3", "84"), ("15", "mar", "1984"), ("15/3/84", "", ""), ("1984-03-15", "", "")]
)
def test_a_date_may_be_written_in_many_ways(desk, born):
    desk.register(born=born)
    expect(desk.page.locator(".app-banner")).to_contain_text("15-Mar-1984")


@pytest.mark.parametrize(
    ("order", "text", "boxes"),
    [
        ("MDY", "15 mar 1984", ["15", "mar", "1984"]),
        ("MDY", "3/4/1984", ["4", "3", "1984"]),
        ("DMY", "3/4/1984", ["3", "4", "1984"]),
        ("MDY", "15/3/84", ["15", "3", "84"]),
        ("DMY", "3/15/84", ["15", "3", "84"]),
        ("MDY", "03.04.1984", ["03", "04", "1984"]),
        ("MDY", "1984-03-15", ["15", "03", "1984"]),
    ],
)
def test_a_date_pasted_whole_fills_the_three_boxes(desk, settings, order, text, boxes):
    settings.DATE_ORDER = order
    desk.open("/patients/new/")
    box = desk.page.locator("#id_date_of_birth_0")
    box.fill(text)
    box.press("Tab")
    for index, part in enumerate(boxes):
        expect(desk.page.locator(f"#id_date_of_birth_{index}")).to_have_value(part)
    desk.is_readable_by_all()


@pytest.mark.parametrize(
    ("born", "words"),
    [
        (("30", "2", "1984"), "There is no such date"),
        (("1", "1", "2999"), "must be today or in the past"),
        (("15", "", "1984"), "Enter the month"),
    ],
)
def test_a_wrong_date_is_explained_and_stays_in_the_boxes(desk, born, words):
    desk.open("/patients/new/")
    desk.fill_in(**{**JANE, "born": born})
    desk.save()
    expect(desk.page.get_by_role("alert")).to_contain_text(words)
    expect(desk.page.locator("#id_date_of_birth_2")).to_have_value(born[2])
    expect(desk.page.locator("#id_family_name")).to_have_value("Smith")
    assert not Patient.objects.exists()


def test_a_year_alone_is_kept_as_a_year_alone(desk):
    desk.register(born=("", "", "1931"))
    expect(desk.page.locator(".app-banner")).to_contain_text("1931 (about")


@pytest.mark.parametrize("scripts", [True, False])
def test_a_double_click_on_save_registers_once(staff, front_desk, scripts):
    person = staff(front_desk, scripts=scripts)
    person.open("/patients/new/")
    person.fill_in(**JANE)
    person.page.get_by_role("button", name="Save").dblclick()
    expect(person.page.get_by_text("Registered with MRN")).to_be_visible()
    assert [model.objects.count() for model in (Patient, PatientEvent, BillingAccount)] == [1, 1, 1]


def test_a_patient_is_registered_without_scripts(staff, front_desk):
    person = staff(front_desk, scripts=False)
    person.register(phone="020 7946 0000", **{"identifiers-0-value": ""})
    expect(person.page.get_by_text("020 7946 0000")).to_be_visible()


def test_an_identifier_of_another_patient_is_refused_at_its_field(desk):
    passport = {"identifiers-0-value": "P 123 456"}
    answers = {"Smith": "Registered with MRN", "Jones": "belongs to another patient"}
    for name, answer in answers.items():
        desk.open("/patients/new/")
        desk.fill_in(**{**JANE, "family_name": name}, **passport)
        desk.page.get_by_label("Kind of identifier").select_option("Passport")
        desk.save()
        expect(desk.page.locator("main")).to_contain_text(answer)
    expect(desk.page.get_by_role("alert")).to_contain_text("belongs to another patient")
    expect(desk.page.locator("#id_identifiers-0-value")).to_have_value("P 123 456")
    assert Patient.objects.count() == 1
