"""Folders with short names, because the path of a socket may have only about 100 bytes."""

import tempfile
from pathlib import Path

import pytest


@pytest.fixture
def short_tmp_path():
    with tempfile.TemporaryDirectory(prefix="portal-test-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)  # As root, PostgreSQL runs under another account and has to pass.
        yield Path(folder)
