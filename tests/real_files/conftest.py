"""A folder to import from, and an import of a file in both ways: the trial and the import."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.real_files.both_ways", "tests.real_files.expected")

from tests.real_files.both_ways import FileOutcome, import_both_ways  # noqa: E402 - rewritten first


@pytest.fixture
def file(tmp_path, monkeypatch, settings) -> Callable[..., Path]:
    """Returns a function that writes a file and returns its path; the command runs beside it."""
    monkeypatch.chdir(tmp_path)
    settings.DATA_DIR = tmp_path / "data"

    def write(content: str | bytes, name: str = "people.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture
def outcome_of(file, tmp_path) -> Callable[..., FileOutcome]:
    """Returns a function that tries a content and imports it, and returns the outcome.

    It fails if the trial and the import differ in anything.
    """
    run = partial(import_both_ways, folder=tmp_path)

    def both(content: str | bytes, *options: str) -> FileOutcome:
        return run(file(content), *options)

    return both
