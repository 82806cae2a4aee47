"""Pages follow what readers set in their browser: wider text, high contrast, the keyboard instead of a pointer."""

from tests.browser.addresses import pages_open_to
from tests.browser.test_every_address import examples

__all__ = ["examples"]

# WCAG 1.4.12. A sheet of the document's own, since the pages take no style from elsewhere.
WIDEN = """() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("* { line-height: 1.5 !important; letter-spacing: .12em !important; " +
        "word-spacing: .16em !important } p { margin-bottom: 2em !important }");
    document.adoptedStyleSheets = [sheet];
}"""
# The label is a piece of paper: what does not fit on it stands in the banner. What stands in boxes can be scrolled.
CUT = """() => [...document.querySelectorAll("body *:not(input)")]
    .filter(one => one.checkVisibility() && !one.closest(".app-label, .nhsuk-skip-link, .nhsuk-u-visually-hidden, svg"))
    .filter(one => {
        const { overflowX, overflowY } = getComputedStyle(one);
        return overflowX === "hidden" && one.scrollWidth > one.clientWidth + 1
            || overflowY === "hidden" && one.scrollHeight > one.clientHeight + 1;
    }).map(one => one.outerHTML.slice(0, 80))"""
UNSEEN = """() => {
    const looks = one => ["", "::before"].map(part => {
        const style = getComputedStyle(one, part);
        return [style.outline, style.boxShadow, style.backgroundColor, style.border].join();
    }).join();
    const all = one => [one, ...one.labels ?? []].map(looks).join();
    return [...document.querySelectorAll("a, button, input, select, textarea, summary, [tabindex='0']")]
        .filter(one => one.checkVisibility() && one.tabIndex >= 0 && !one.closest("template"))
        .filter(one => {
            one.focus();
            const focused = all(one);
            one.blur();
            return focused === all(one);
        }).map(one => one.outerHTML.slice(0, 80));
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


def test_whatever_has_the_focus_looks_so(staff, make_user, examples):
    """Red when a rule takes an outline away and gives nothing for it."""
    user = make_user("operator")
    person = staff(user)
    for address in pages_open_to(user, examples):
        person.open(address)
        person.page.keyboard.press(
            "Tab"
        )  # From now on the browser shows the focus, as after any key.
        assert person.page.evaluate(UNSEEN) == [], address


def test_high_contrast_shows_which_page_tab_and_hit_is_the_current_one(staff, make_user, examples):
    """Colours of backgrounds and shadows are gone there: red when nothing but these tells them apart."""
    person = staff(make_user("operator"))
    person.page.emulate_media(forced_colors="active")
    person.open(f"/patients/{examples['patient_id']}/history/")
    for links in (".app-nav a", ".app-tabs a"):
        colours = person.page.locator(links).evaluate_all(
            "all => all.map(one => getComputedStyle(one).borderBottomColor)"
        )
        assert sorted(colours.count(one) for one in set(colours)) == [1, len(colours) - 1], links
    person.page.get_by_role("button", name="Go to a patient, page or action").click()
    person.page.keyboard.type("re")
    hit = person.page.locator(".app-palette [aria-selected=true]")
    colour = hit.evaluate("one => getComputedStyle(one).outline")
    assert "solid" in colour
    assert "0, 0, 0, 0" not in colour
