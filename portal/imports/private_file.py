"""Opens files for personal data: only their owner can read them, from the first byte on."""

import os
from pathlib import Path
from typing import TextIO


def open_private_file(path: Path) -> TextIO:
    """Returns a text file to write, emptied if it exists."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.fchmod(handle, 0o600)
    return open(handle, "w", encoding="utf-8", newline="")
