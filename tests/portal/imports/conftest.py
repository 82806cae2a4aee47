"""A folder to import from, and imports through the command."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.portal.imports.files import SYNTHEA, import_file


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
def import_text(file) -> Callable[..., tuple[int, dict[str, Any]]]:
    """Returns a function that imports a text, and returns the exit code and the report."""

    def run(content: str | bytes, *options: str) -> tuple[int, dict[str, Any]]:
        return import_file(file(content), *options)

    return run


@pytest.fixture
def operator(client, make_user, settings, tmp_path):
    """Returns an operator who is signed in."""
    settings.DATA_DIR = tmp_path
    user = make_user("operator")
    client.force_login(user)
    return user


@pytest.fixture
def synthea(file) -> Path:
    """Returns the folder of the public sample."""
    if not SYNTHEA.is_dir():
        pytest.skip(
            "the public Synthea sample is not beside the repository (../shared/data/synthea)"
        )
    return SYNTHEA
