"""Two records of one person, merged and unmerged in a browser."""

from datetime import date

from portal.patients.services import register_patient

HOW = {"by": None, "source": "portal"}
JANE = {"family_name": "Example", "given_name": "Jane", "date_of_birth": date(1984, 3, 15)}
WIDTHS = (1280, 640, 320)


def is_readable_everywhere(person):
    for width in WIDTHS:
        person.page.set_viewport_size({"width": width, "height": 900})
        person.is_readable_by_all()


def test_two_records_are_merged_and_unmerged(staff, front_desk):
    older = register_patient({**JANE, "registered_on": "2020-01-01", "city": "Leeds"}, **HOW)
    newer = register_patient(
        {**JANE, "given_name": "Janet", "city": "York", "phone": "617 555 0100"}, **HOW
    )
    person = staff(front_desk)
    page = person.page
    person.open(f"/patients/{newer.pk}/")
    page.get_by_role("link", name="Merge with another record").click()
    page.get_by_label("MRN of the other record").fill(older.mrn)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/merge/{older.pk}/")
    is_readable_everywhere(person)
    page.get_by_role("group", name="Given name").get_by_label("Janet").check()
    page.get_by_role("button", name="Merge into EXAMPLE, Jane").click()
    page.get_by_role("link", name="Say in a few words how you know").click()
    is_readable_everywhere(person)
    page.keyboard.type("Insurance card seen")
    page.keyboard.press("Control+Enter")
    page.wait_for_url(f"**/patients/{older.pk}/")
    assert "EXAMPLE, Janet" in page.inner_text(".app-banner__name")
    page.get_by_role("link", name=f"MRN {newer.mrn}").click()
    page.get_by_text("was merged into").wait_for()
    is_readable_everywhere(person)
    page.get_by_role("button", name="Undo merge").click()
    page.get_by_text("are two records again").wait_for()
    older.refresh_from_db()
    assert (older.given_name, older.phone) == ("Jane", "")
