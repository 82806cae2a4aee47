"""Finding a patient, and what to do when none is found."""

from playwright.sync_api import expect

from portal.patients.services import register_patients


def register_people(number):
    details = [{"family_name": f"Person{index:03}", "given_name": "Ann"} for index in range(number)]
    register_patients(details, by=None, source="command")


def test_two_arrows_and_enter_open_the_second_hit(desk):
    register_people(3)
    desk.open("/patients/?q=person")
    desk.page.locator("#q").focus()
    for key in ("ArrowDown", "ArrowDown", "Enter"):
        desk.page.keyboard.press(key)
    expect(desk.page.locator(".app-banner")).to_contain_text("PERSON001, Ann")
    desk.page.go_back()
    expect(desk.page).to_have_url("/patients/?q=person")


def test_the_list_follows_the_box_and_the_filters(desk):
    """Red without `hx-get`. The address follows, so Back returns to what was found."""
    register_people(3)
    register_patients(
        [{"family_name": "Winter", "given_name": "Eve", "sex": "female"}], by=None, source="command"
    )
    desk.open("/patients/")
    desk.page.locator("#q").press_sequentially("winter")
    expect(desk.page.locator("tbody tr")).to_have_count(1)
    expect(desk.page).to_have_url("/patients/?q=winter")
    expect(desk.page).to_have_title("Search – Patients – Patient Portal")
    expect(desk.page.locator("#q")).to_be_focused()
    expect(desk.page.locator("#list-status")).to_have_text("1 found. Arrow down to choose.")
    desk.is_readable_by_all()
    desk.page.get_by_label("Sex").select_option("Male")
    expect(desk.page.get_by_role("heading", name="Nobody found for “winter”")).to_be_visible()
    desk.page.get_by_label("Sex").select_option("Any")
    expect(desk.page.locator("tbody tr")).to_have_count(1)
    desk.page.locator("#q").press("ArrowDown")
    desk.page.keyboard.press("Enter")
    expect(desk.page.locator(".app-banner")).to_contain_text("WINTER, Eve")
    desk.page.go_back()
    expect(desk.page).to_have_url("/patients/?q=winter")
    expect(desk.page.locator("tbody tr")).to_have_count(1)
    expect(desk.page.locator("#q")).to_have_value("winter")


def test_enter_in_the_box_stays_there_so_that_the_arrows_go_on(desk):
    register_people(3)
    desk.open("/patients/")
    desk.page.locator("#q").fill("person")
    for key in ("Enter", "ArrowDown", "ArrowDown"):
        desk.page.keyboard.press(key)
        expect(desk.page.locator("#found[aria-busy]")).to_have_count(0)
    desk.page.keyboard.press("Enter")
    expect(desk.page.locator(".app-banner")).to_contain_text("PERSON001, Ann")


def test_arrows_never_enter_the_list_of_the_text_before(desk):
    """Red without `aria-busy`: a user who types on quickly would open another patient."""
    register_people(3)
    desk.open("/patients/")
    expect(desk.page.locator("tbody tr")).to_have_count(3)
    waiting = []
    desk.page.route("**/patients/?q=*", lambda route: waiting.append(route))
    with desk.page.expect_request("**/patients/?q=*"):
        desk.page.locator("#q").fill("person002")
    for key in ("ArrowDown", "ArrowDown"):
        desk.page.keyboard.press(key)
    expect(desk.page.locator("#q")).to_be_focused()
    expect(desk.page.locator("#found[aria-busy=true]")).to_have_count(1)
    for route in waiting:
        route.continue_()
    expect(desk.page.locator("tbody tr")).to_have_count(1)
    expect(desk.page.locator("#found[aria-busy]")).to_have_count(0)
    desk.page.keyboard.press("ArrowDown")
    expect(desk.page.locator("tbody a").first).to_be_focused()


def test_a_slash_goes_to_the_search_box_but_not_while_typing(desk):
    desk.open("/patients/")
    desk.page.keyboard.press("/")
    expect(desk.page.locator("#q")).to_be_focused()
    desk.page.keyboard.type("1/2")
    expect(desk.page.locator("#q")).to_have_value("1/2")


def test_a_missing_patient_is_registered_with_what_was_typed(desk):
    desk.open("/patients/?q=okafor+ada")
    expect(desk.page.get_by_role("heading", name="Nobody found for “okafor ada”")).to_be_visible()
    desk.is_readable_by_all()
    desk.page.get_by_role("link", name="Register “okafor ada” as a new patient").click()
    expect(desk.page.locator("#id_family_name")).to_have_value("Okafor")
    expect(desk.page.locator("#id_given_name")).to_have_value("Ada")


def test_a_misspelt_name_is_found_and_the_list_says_why(desk):
    register_people(3)
    desk.open("/patients/?q=amn+person002")
    expect(
        desk.page.get_by_text("Nobody is found for “amn person002” as it is written.")
    ).to_be_visible()
    expect(desk.page.locator("tbody tr").first).to_contain_text(
        "PERSON002, Ann One letter off: Ann"
    )
    desk.is_readable_by_all()


def test_a_date_or_the_end_of_a_phone_narrows_two_of_one_name(desk):
    twins = [("1984-03-15", "617 555 0018"), ("1990-01-02", "617 555 0042")]
    details = [
        {"family_name": "Okafor", "given_name": "Ada", "date_of_birth": b, "phone": p}
        for b, p in twins
    ]
    register_patients(details, by=None, source="command")
    desk.open("/patients/?q=okafor")
    expect(desk.page.locator("tbody tr")).to_have_count(2)
    for text, day in [("okafor 15 3 84", "15-Mar-1984"), ("ada 0042", "02-Jan-1990")]:
        desk.page.locator("#q").fill(text)
        desk.page.keyboard.press("Enter")
        expect(desk.page.locator("tbody tr")).to_have_count(1)
        expect(desk.page.locator("tbody tr")).to_contain_text(day)


def test_the_list_goes_on_page_by_page(desk):
    register_people(60)
    desk.open("/patients/?q=person")
    expect(desk.page.locator("tbody tr")).to_have_count(50)
    desk.page.get_by_role("link", name="Next").click()
    expect(desk.page.locator("tbody tr")).to_have_count(10)
    expect(desk.page.locator("tbody tr").first).to_contain_text("PERSON050")


def test_the_search_works_without_scripts_from_every_page(staff, front_desk):
    register_people(2)
    person = staff(front_desk, scripts=False)
    person.open("/dashboard/")
    person.page.get_by_label("Find a patient").fill("ann person001")
    person.page.keyboard.press("Enter")
    expect(person.page.locator("tbody tr")).to_have_count(1)
