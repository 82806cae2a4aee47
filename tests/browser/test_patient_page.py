"""The patient's page: copy the MRN, print the label, look back, and never mix up patients."""

import re

from playwright.sync_api import expect

from portal.patients.models import Patient
from portal.patients.services import register_patient


def test_the_mrn_is_copied_with_one_press(desk):
    desk.register()
    desk.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    desk.page.get_by_role("button", name="Copy the MRN").click()
    expect(desk.page.get_by_text("Copied")).to_be_visible()
    assert desk.page.evaluate("navigator.clipboard.readText()") == Patient.objects.get().mrn


def test_the_mrn_is_copied_without_access_to_the_clipboard(desk):
    address = desk.register()
    desk.page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    desk.page.add_init_script(
        "document.addEventListener('copy', () => { window.copied = String(getSelection()) })"
    )
    desk.open(f"{address}identifiers/")
    desk.page.get_by_role("button", name="Copy the MRN").click()
    expect(desk.page.get_by_text("Copied")).to_be_visible()
    assert desk.page.evaluate("window.copied") == Patient.objects.get().mrn


def test_the_label_is_alone_on_its_paper(desk):
    desk.register()
    desk.page.get_by_role("link", name="Print label").click()
    desk.page.evaluate("window.print = () => { window.printed = true }")
    desk.page.get_by_role("button", name="Print").click()
    assert desk.page.evaluate("window.printed")
    desk.page.emulate_media(media="print")
    expect(desk.page.get_by_label("The label")).to_contain_text(Patient.objects.get().mrn)
    for hidden in (".app-header", ".app-banner", ".app-tabs", ".app-footer", "h1"):
        expect(desk.page.locator(hidden)).to_be_hidden()
    paper = desk.page.pdf(prefer_css_page_size=True)
    boxes = re.findall(rb"/MediaBox\s*\[([^\]]*)\]", paper)
    points = [round(float(number)) for number in boxes[0].split()]
    assert (len(boxes), points) == (1, [0, 0, 252, 102])  # One page of 89 x 36 mm.


def test_without_scripts_no_button_is_without_effect(staff, front_desk):
    person = staff(front_desk, scripts=False)
    address = person.register()
    expect(person.page.get_by_role("button", name="Copy")).to_be_hidden()
    person.open(f"{address}label/")
    expect(person.page.get_by_role("button", name="Print")).to_be_hidden()
    expect(person.page.get_by_text("Your browser’s print command")).to_be_visible()
    person.open(f"{address}history/")
    person.page.get_by_label("The record as it was on").fill("30 feb 2024")
    person.page.get_by_role("button", name="Show", exact=True).click()
    expect(person.page.get_by_role("alert")).to_contain_text("There is no such day.")


def test_the_record_as_it_was_is_found_from_the_history(desk):
    address = desk.register(city="Leeds")
    desk.open(f"{address}edit/")
    desk.fill_in(city="York")
    desk.save()
    desk.page.get_by_role("link", name="History").click()
    desk.page.get_by_role("link", name="Version 1").click()
    expect(desk.page.get_by_role("row", name="City Leeds")).to_contain_text("Leeds")
    expect(desk.page.get_by_role("row", name="City Leeds")).to_contain_text("York")
    desk.page.get_by_role("link", name="Open it as it is now").click()
    expect(desk.page).to_have_url(address)


def test_two_tabs_never_mix(desk):
    """A button in the first tab acts on the patient of that tab, whatever was opened since."""
    jane = desk.register()
    desk.open(f"{jane}edit/")
    second = desk.page.context.new_page()
    other = register_patient({"family_name": "Okafor", "given_name": "Ada"}, by=None, source="api")
    second.goto(f"/patients/{other.pk}/")
    expect(second.locator(".app-banner")).to_contain_text("OKAFOR, Ada")

    desk.fill_in(city="Leeds")
    desk.save()
    expect(desk.page.locator(".app-banner")).to_contain_text("SMITH, Jane")
    second.reload()
    desk.page.get_by_role("button", name="Archive").click()
    expect(desk.page.get_by_role("status").filter(has_text="SMITH, Jane")).to_be_visible()
    people = Patient.objects.order_by("family_name").values_list("family_name", "city", "status")
    assert list(people) == [("Okafor", "", "active"), ("Smith", "Leeds", "archived")]


def test_restoring_is_undone_with_one_press(desk):
    address = desk.register()
    desk.open(address)
    desk.page.get_by_role("button", name="Archive").click()
    desk.page.get_by_role("button", name="Undo").click()
    expect(desk.page.get_by_text("is back on the lists")).to_be_visible()
    desk.is_readable_by_all()
    desk.page.get_by_role("button", name="Undo").click()
    expect(desk.page.get_by_role("status").first).to_contain_text("is archived")
    assert Patient.objects.get().status == "archived"


def test_an_edit_is_undone_with_one_press(desk):
    address = desk.register(city="Leeds")
    desk.open(f"{address}edit/")
    desk.fill_in(city="York")
    desk.save()
    expect(desk.page.get_by_text("Saved.", exact=True)).to_be_visible()
    desk.is_readable_by_all()
    desk.page.get_by_role("button", name="Undo").click()
    expect(desk.page.get_by_text("Undone: what was changed is put back.")).to_be_visible()
    assert Patient.objects.get().city == "Leeds"
    desk.page.get_by_role("link", name="History").click()
    desk.page.get_by_role("button", name="Undo").click()
    expect(desk.page.get_by_text("Undone")).to_be_visible()
    assert Patient.objects.get().city == "York"
