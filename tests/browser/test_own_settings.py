"""Pages follow the settings of a browser: wider text, high contrast, keyboard without a pointer."""

from tests.browser.addresses import pages_open_to
from tests.browser.test_every_address import examples

__all__ = ["examples"]

# WCAG 1.4.12. The content policy allows a style sheet of the document's own only.
WIDEN = """() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("* { line-height: 1.5 !important; letter-spacing: .12em !important; " +
        "word-spacing: .16em !important } p { margin-bottom: 2em !important }");
    document.adoptedStyleSheets = [sheet];
}"""
# The label has a fixed size, since it is printed. Text in inputs can be scrolled.
CUT = """() => [...document.querySelectorAll("body *:not(input)")]
    .filter(part => part.checkVisibility())
    .filter(part =>
        !part.closest(".app-label, .nhsuk-skip-link, .nhsuk-u-visually-hidden, svg"))
    .filter(part => {
        const { overflowX, overflowY } = getComputedStyle(part);
        return overflowX === "hidden" && part.scrollWidth > part.clientWidth + 1
            || overflowY === "hidden" && part.scrollHeight > part.clientHeight + 1;
    }).map(part => part.outerHTML.slice(0, 80))"""
UNSEEN = """() => {
    const looks = element => ["", "::before"].map(part => {
        const style = getComputedStyle(element, part);
        return [style.outline, style.boxShadow, style.backgroundColor, style.border].join();
    }).join();
    const all = element => [element, ...element.labels ?? []].map(looks).join();
    const focusable = "a, button, input, select, textarea, summary, [tabindex='0']";
    return [...document.querySelectorAll(focusable)]
        .filter(element => element.checkVisibility() && element.tabIndex >= 0)
        .filter(element => !element.closest("template"))
        .filter(element => {
            element.focus();
            const focused = all(element);
            element.blur();
            return focused === all(element);
        }).map(element => element.outerHTML.slice(0, 80));
}"""


def test_wider_text_is_cut_off_nowhere(staff, make_user, examples):
    """Red when a line of text may not wrap, and when a box has a height of its own."""
    user = make_user("operator")
    person = staff(user, width=320)
    for address in pages_open_to(user, examples):
        person.open(address)
        person.page.evaluate(WIDEN)
        assert person.page.evaluate(CUT) == [], address
        assert person.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address


def test_every_focused_element_shows_it(staff, make_user, examples):
    """Red when a rule takes an outline away and gives nothing for it."""
    user = make_user("operator")
    person = staff(user)
    for address in pages_open_to(user, examples):
        person.open(address)
        person.page.keyboard.press("Tab")  # After a key the browser shows the focus.
        assert person.page.evaluate(UNSEEN) == [], address


def test_high_contrast_shows_the_current_page_tab_and_hit(staff, make_user, examples):
    """Red when only backgrounds or shadows mark them, which high contrast takes away."""
    person = staff(make_user("operator"))
    person.page.emulate_media(forced_colors="active")
    person.open(f"/patients/{examples['patient_id']}/history/")
    for links in (".app-nav a", ".app-tabs a"):
        colours = person.page.locator(links).evaluate_all(
            "all => all.map(link => getComputedStyle(link).borderBottomColor)"
        )
        assert sorted(colours.count(colour) for colour in set(colours)) == [1, len(colours) - 1], (
            links
        )
    person.page.get_by_role("button", name="Go to a patient, page or action").click()
    person.page.keyboard.type("re")
    hit = person.page.locator(".app-palette [aria-selected=true]")
    colour = hit.evaluate("choice => getComputedStyle(choice).outline")
    assert "solid" in colour
    assert "0, 0, 0, 0" not in colour
