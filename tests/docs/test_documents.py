"""The files, commands, make targets and variables that the documents name exist."""

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from tests.compose.files import ROOT, documented_variables

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
NAMES = [str(path.relative_to(ROOT)) for path in DOCUMENTS]
MAKEFILE = (ROOT / "Makefile").read_text()
PACKAGES = "portal|billing_grpc|analytics_stream|protos|tests|embedded"
DECISION_LINES = 60  # of 100 characters, at most: a page


def missing_links(text: str, folder: Path) -> list[str]:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text)
    return [link for link in links if "://" not in link and not (folder / link).exists()]


def missing_paths(text: str) -> list[str]:
    """Returns paths in backticks, without addresses such as `/patients/new/`, that do not exist."""
    paths = re.findall(rf"`((?:{PACKAGES}|docs|docker)/[^`\s]*)`", text)
    return [path for path in paths if not list(ROOT.glob(path.rstrip("/")))]


def unknown_commands(text: str) -> set[str]:
    return set(re.findall(r"manage\.py ([a-z_]+)", text)) - set(get_commands())


def unknown_targets(text: str) -> set[str]:
    named = re.findall(r"(?:^|`|=apache |=\w+ )make ([a-z-]+)", text, re.MULTILINE)
    return set(named) - set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))


def unknown_variables(text: str) -> set[str]:
    named = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)(?:=[^`]*)?`", text))
    return named - set(documented_variables())


@pytest.mark.parametrize("path", DOCUMENTS, ids=NAMES)
def test_every_link_leads_to_a_file(path):
    assert missing_links(path.read_text(), path.parent) == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=NAMES)
def test_every_path_in_backticks_exists(path):
    assert missing_paths(path.read_text()) == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=NAMES)
def test_every_command_exists(path):
    assert unknown_commands(path.read_text()) == set()


@pytest.mark.parametrize("path", DOCUMENTS, ids=NAMES)
def test_every_make_target_exists(path):
    assert unknown_targets(path.read_text()) == set()


@pytest.mark.parametrize(
    "path", [ROOT / "README.md", ROOT / "docs/operations.md"], ids=["README", "operations"]
)
def test_every_variable_stands_in_the_example(path):
    assert unknown_variables(path.read_text()) == set()


def test_missing_things_are_found():
    assert missing_links("[gone](docs/gone.md) [here](README.md#the-tree)", ROOT) == [
        "docs/gone.md"
    ]
    assert missing_paths("`portal/gone.py`, `/patients/new/` and `portal/*/tasks.py`") == [
        "portal/gone.py"
    ]
    assert unknown_commands("`manage.py relay` and `manage.py delay`") == {"delay"}
    assert unknown_targets("```\nmake run\nmake tea\n```") == {"tea"}
    assert unknown_variables("`LOG_LEVEL=INFO` `LOG_COLOUR`") == {"LOG_COLOUR"}


def test_each_decision_has_its_number_in_its_title():
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    numbers = [int(page.name[:4]) for page in pages]
    assert len(set(numbers)) == len(numbers)
    for number, page in zip(numbers, pages, strict=True):
        assert page.read_text().startswith(f"# {number}. ")


def test_each_decision_is_a_page_with_context_decision_and_price():
    for page in (ROOT / "docs" / "decisions").glob("*.md"):
        lines = page.read_text().splitlines()
        headings = [line.removeprefix("## ") for line in lines if line.startswith("## ")]
        assert (page.name, headings) == (page.name, ["Context", "Decision", "Consequences"])
        assert len(lines) <= DECISION_LINES, page.name
