"""The main pages at 320 px: on a phone, and on a desk at 400 %."""

from playwright.sync_api import expect

from tests.browser.screens.dashboard import open_live
from tests.browser.screens.search import open_patient
from tests.browser.screens.studio import Studio


def take(studio: Studio) -> None:
    desk = studio.open_browser("frontdesk")
    desk.page.set_viewport_size({"width": 320, "height": 800})
    desk.open("/patients/")
    studio.take(desk, "phone-patients", "Patients on a phone", is_phone=True)
    desk.open("/patients/new/")
    studio.take(desk, "phone-register", "Registering on a phone", is_phone=True)
    open_patient(desk, "grace okafor")
    studio.take(desk, "phone-patient", "A patient on a phone", is_phone=True)
    open_live(desk, "/dashboard/?range=30d")
    studio.take(desk, "phone-dashboard", "The dashboard on a phone", is_phone=True)
    desk.open("/patients/?q=winter ada")
    expect(desk.page.get_by_role("heading", name="Nobody found")).to_be_visible()
    studio.take(desk, "phone-nobody", "Nobody found, on a phone", is_phone=True)
