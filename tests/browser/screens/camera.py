"""Takes pictures of what a person sees, and writes the sheet that lists them."""

from dataclasses import dataclass
from pathlib import Path

from tests.browser.steps import Staff

NEXT_FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
HEAD = """# The pages in pictures

Each page and each of its states, at 1120 × 720, of a whole portal with made-up patients. `make screenshots` takes them
anew, and writes this list.
"""
ROW = '| <a href="{name}.png"><img src="{name}.png" width="400" alt="{words}"></a> | {words} |'


@dataclass(frozen=True)
class Film:
    """Where pictures of this width go: what fits the window, or the whole page."""

    folder: Path
    width: int = 1120
    height: int = 720
    is_whole: bool = False


class Camera:
    """Takes each picture once on every film."""

    def __init__(self, films: list[Film]) -> None:
        self.films = films
        self.chapters: dict[str, list[tuple[str, str]]] = {}
        self.chapter = ""

    def open_chapter(self, title: str) -> None:
        self.chapter = title
        self.chapters[title] = []

    def take(self, person: Staff, name: str, words: str) -> None:
        """From the top of the page, without the caret. `words` say in one line what is seen."""
        page = person.page
        page.wait_for_load_state()
        for film in self.films:
            page.set_viewport_size({"width": film.width, "height": film.height})
            page.evaluate("scrollTo(0, 0)")
            page.evaluate(NEXT_FRAMES)  # What measures the window, as the lines of the dashboard do, has drawn again.
            film.folder.mkdir(parents=True, exist_ok=True)
            file = film.folder / f"{name}.png"
            page.screenshot(path=file, animations="disabled", caret="hide", full_page=film.is_whole)
        page.set_viewport_size({"width": self.films[0].width, "height": self.films[0].height})
        self.chapters[self.chapter].append((name, words))
        print(name, flush=True)

    def write_sheet(self, folder: Path) -> None:
        """A README with every picture and its line; pictures that no longer belong to a page go."""
        lines = [HEAD]
        for title, pictures in self.chapters.items():
            rows = [ROW.format(name=name, words=words) for name, words in pictures]
            lines += [f"## {title}", "", "| | |", "|---|---|", *rows, ""]
        (folder / "README.md").write_text("\n".join(lines).rstrip() + "\n")
        taken = {name for pictures in self.chapters.values() for name, _ in pictures}
        for file in folder.glob("*.png"):
            if file.stem not in taken:
                file.unlink()
