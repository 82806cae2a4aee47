"""Takes pictures of pages, and writes the document that lists them."""

from dataclasses import dataclass, replace
from pathlib import Path

from playwright.sync_api import Page

from tests.browser.screens.colours import reduce_colours
from tests.browser.steps import Staff

NEXT_FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
HEAD = """# The pages in pictures

Each page and each of its states, at 1120 × 720 and some on a phone, of a whole portal with made-up
patients. `make screenshots` takes them anew, and writes this list.
"""
ROW = '| <a href="{name}.png"><img src="{name}.png" width="{width}" alt="{words}"></a> | {words} |'
PHONE = 320


@dataclass(frozen=True)
class Film:
    """A width of pictures and their folder: what fits the window, or the whole page."""

    folder: Path
    width: int = 1120
    height: int = 720
    is_whole: bool = False

    def on_a_phone(self) -> "Film":
        return replace(self, width=PHONE, height=800)


class Camera:
    """Takes each picture once on every film."""

    def __init__(self, films: list[Film], desk: Page) -> None:
        """`desk` is an empty page on which pictures for the documentation get fewer colours."""
        self.films = films
        self.desk = desk
        self.chapters: dict[str, list[tuple[str, str, int]]] = {}
        self.chapter = ""

    def open_chapter(self, title: str) -> None:
        self.chapter = title
        self.chapters[title] = []

    def take(
        self,
        person: Staff,
        name: str,
        words: str,
        *,
        has_scripts: bool = True,
        is_phone: bool = False,
        lead: str = "",
    ) -> None:
        """Takes a picture from the top of the page, or from the element `lead`.

        `words` say in a line what it shows. A look (option --look) has every width already, so it
        gets no extra picture of a phone.
        """
        person.page.wait_for_load_state()
        person.page.mouse.move(0, 0)
        for film in self.films:
            if not (is_phone and film.is_whole):
                self._expose(
                    film.on_a_phone() if is_phone else film,
                    person.page,
                    name,
                    lead,
                    has_scripts=has_scripts,
                )
        person.page.set_viewport_size(
            {"width": self.films[0].width, "height": self.films[0].height}
        )
        self.chapters[self.chapter].append((name, words, 200 if is_phone else 400))
        print(name, flush=True)

    def _expose(self, film: Film, page: Page, name: str, lead: str, *, has_scripts: bool) -> None:
        page.set_viewport_size({"width": film.width, "height": film.height})
        if lead and not film.is_whole:
            page.locator(lead).evaluate(
                "element => scrollTo(0, element.getBoundingClientRect().top + scrollY - 24)"
            )
        else:
            page.evaluate("scrollTo(0, 0)")
        if has_scripts:
            # Until parts that measure the window, such as time lines, have drawn again.
            page.evaluate(NEXT_FRAMES)
        film.folder.mkdir(parents=True, exist_ok=True)
        file = film.folder / f"{name}.png"
        page.screenshot(path=file, animations="disabled", caret="hide", full_page=film.is_whole)
        if not film.is_whole:
            reduce_colours(file, self.desk)

    def write_sheet(self, folder: Path) -> None:
        """Writes a README with every picture and its line, and deletes other pictures."""
        lines = [HEAD]
        for title, pictures in self.chapters.items():
            rows = [
                ROW.format(name=name, words=words, width=width) for name, words, width in pictures
            ]
            lines += [f"## {title}", "", "| | |", "|---|---|", *rows, ""]
        (folder / "README.md").write_text("\n".join(lines).rstrip() + "\n")
        taken = {name for pictures in self.chapters.values() for name, *_ in pictures}
        for file in folder.glob("*.png"):
            if file.stem not in taken:
                file.unlink()
