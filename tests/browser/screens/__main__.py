"""Starts a portal of its own and takes the pictures, chapter by chapter."""

import os
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from tests.browser.screens import (
    admin,
    dashboard,
    duplicates,
    empty,
    errors,
    import_failures,
    imports,
    operations,
    outages,
    patient,
    phone,
    registration,
    search,
    sign_in,
)
from tests.browser.screens.camera import Camera, Film
from tests.browser.screens.studio import Studio
from tests.end_to_end.system import ROOT, running
from tests.waits import wait_for

FOLDER = ROOT / "docs" / "screens"
CHAPTERS = {
    "Signing in": sign_in.take,
    "Finding a patient": search.take,
    "Registering": registration.take,
    "Duplicates": duplicates.take,
    "A patient": patient.take,
    "Dashboard": dashboard.take,
    "Imports": imports.take,
    "Imports that wait, run or fail": import_failures.take,
    "Operating": operations.take,
    "Admin": admin.take,
    "On a phone": phone.take,
    "When a part is away": outages.take,
    "When something is wrong": errors.take,
    "Before the first patient": empty.take,  # Last, because it deletes all patients.
}


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument(
        "--look",
        type=Path,
        help="a folder for whole pages at 1120, 640 and 320 px, instead of docs",
    )
    parser.add_argument(
        "chapters", nargs="*", help="only the chapters whose titles hold one of these words"
    )
    options = parser.parse_args()
    os.environ["CLINIC_NAME"] = "Riverside Clinic"
    expect.set_options(timeout=60_000)  # A busy machine is slow, and all of it runs here.
    folder = tempfile.TemporaryDirectory(prefix="portal-screens-")
    with (
        folder as data,
        running(Path(data), kafka="embedded") as system,
        sync_playwright() as playwright,
    ):
        flags = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=flags)
        camera = Camera(looks(options.look) if options.look else [Film(FOLDER)], browser.new_page())
        wait_for(lambda: (totals := system.caught_up()) and totals["active"], seconds=120)
        take_all(Studio(browser, system, camera), options.chapters)
        browser.close()
    if not options.look and not options.chapters:
        camera.write_sheet(FOLDER)


def looks(folder: Path) -> list[Film]:
    """Returns formats for a look: the usual window, a small phone, and 1280 px at 200 %."""
    return [Film(folder / str(width), width=width, is_whole=True) for width in (1120, 640, 320)]


def take_all(studio: Studio, words: list[str]) -> None:
    for title, take in CHAPTERS.items():
        if not words or any(word.lower() in title.lower() for word in words):
            with studio.chapter(title):
                take(studio)


if __name__ == "__main__":
    sys.exit(main())
