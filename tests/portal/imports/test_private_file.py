"""Files with personal data belong to their owner alone, and devices to everybody."""

import os
import stat

from portal.imports.private_file import open_private_file


def test_a_file_that_is_there_becomes_private(tmp_path):
    path = tmp_path / "rejects.csv"
    path.write_text("old")
    path.chmod(0o644)
    with open_private_file(path) as file:
        file.write("new")
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_device_keeps_its_rights(tmp_path, monkeypatch):
    """Red when a report to /dev/null takes it from all other programs."""
    changed = []
    monkeypatch.setattr(os, "fchmod", lambda *arguments: changed.append(arguments))
    with open_private_file(tmp_path / "file"):
        assert len(changed) == 1
    null = tmp_path / "null"
    null.symlink_to("/dev/null")
    with open_private_file(null):
        assert len(changed) == 1
