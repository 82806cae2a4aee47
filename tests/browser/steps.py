"""Steps of staff in a browser, also for tests that run the whole system."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

AXE_OPTIONS = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"],
}
JANE = {"family_name": "Smith", "given_name": "Jane", "born": ("5", "apr", "2008"), "sex": "Female"}


class Staff:
    """A user at a page. `faults` collects the errors that the browser reports."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.faults: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", self._hear)

    def _hear(self, message) -> None:
        # An answer such as a 409, which a test asks for, is no fault of the page.
        is_refusal = "Failed to load resource" in message.text
        if message.type == "error" and not is_refusal:
            self.faults.append(message.text)

    def sign_in(self, email: str, password: str, *, to: str = "/") -> None:
        self.page.goto(f"/sign-in/?next={to}")
        self.page.get_by_label("E-mail").fill(email)
        self.page.get_by_label("Password", exact=True).fill(password)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page).not_to_have_title("Sign in – Patient Portal")

    def open(self, address: str) -> None:
        self.page.goto(address)

    def fill_in(
        self, *, born: tuple[str, str, str] | None = None, sex: str = "", **fields: str
    ) -> None:
        """Types into the form of a patient; fields by their names."""
        for name, text in fields.items():
            self.page.locator(f"#id_{name}").fill(text)
        for box, text in enumerate(born or ()):
            if text:
                self.page.locator(f"#id_date_of_birth_{box}").fill(text)
        if sex:
            self.page.get_by_label(sex, exact=True).check()

    def save(self) -> None:
        self.page.get_by_role("button", name="Save").click()

    def register(self, **details) -> str:
        """Registers a patient by the form and returns the address of the new patient's page."""
        self.open("/patients/new/")
        self.fill_in(**{**JANE, **details})
        self.save()
        expect(self.page.get_by_text("Registered with MRN")).to_be_visible()
        return self.page.url.split("?")[0]

    def is_readable_by_all(self) -> None:
        """Asserts that axe finds nothing, and that nothing but tables is wider than the screen."""
        self.page.wait_for_load_state()  # Until the style of a page that a click led to is there.
        violations = Axe().run(self.page, options=AXE_OPTIONS).response["violations"]
        findings = []
        for violation in violations:
            targets = [node["target"] for node in violation["nodes"]]
            findings.append(f"{violation['impact']}: {violation['id']} {targets[:3]}")
        assert not findings, f"{self.page.url}: {findings}"
        wide, screen = self.page.evaluate(
            "[document.documentElement.scrollWidth, window.innerWidth]"
        )
        assert wide <= screen, f"{self.page.url} is {wide} px wide on a screen of {screen}"
        assert not self.faults, self.faults
