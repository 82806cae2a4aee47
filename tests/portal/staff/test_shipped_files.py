"""The browser's files: the built look as committed, small, and with no other site's files."""

import gzip
import hashlib
import re
from pathlib import Path

import django_htmx
import pytest

from portal import staff

STATIC = Path(staff.__file__).parent / "static" / "staff"
VENDOR = STATIC / "vendor"
HTMX = Path(django_htmx.__file__).parent / "static" / "django_htmx" / "htmx-2.min.js"
MAX_BYTES = 90 * 1024  # Of all styles and scripts, compressed.


def text_files() -> list[Path]:
    return [path for path in sorted(STATIC.rglob("*")) if path.suffix in {".css", ".js", ".svg"}]


def test_each_built_file_has_its_listed_digest():
    listed = dict(
        reversed(line.split()) for line in (VENDOR / "SHA256SUMS").read_text().splitlines()
    )
    actual = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in VENDOR.iterdir()}
    del actual["SHA256SUMS"]
    assert actual == listed


def test_styles_and_scripts_are_small_together():
    files = [*STATIC.rglob("*.css"), *STATIC.rglob("*.js"), HTMX]
    assert sum(len(gzip.compress(path.read_bytes(), 9)) for path in files) <= MAX_BYTES


@pytest.mark.parametrize("path", sorted(STATIC.glob("*.js")), ids=lambda path: path.name)
def test_each_of_our_own_scripts_stays_short(path):
    assert len(path.read_text().splitlines()) < 300


@pytest.mark.parametrize("path", text_files(), ids=lambda path: path.name)
def test_nothing_is_loaded_from_elsewhere(path):
    text = path.read_text()
    foreign = r"url\(\s*[\"']?(https?:|//)|@import|@font-face|import\([\"']https?:"
    assert not re.search(foreign, text)


def test_a_page_runs_nothing_inline_and_names_no_other_site(client, db):
    page = client.get("/sign-in/").content.decode()
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", page)
    assert not re.search(r"(src|href)=\"(https?:)?//", page)
    words = re.sub(r"<[^>]*>", " ", page)
    assert not re.search(r"\bNHS\b|GOV\.UK|Carbon", words)
