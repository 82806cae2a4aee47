"""Opens files for personal data: only their owner can read them, from the first byte on."""

import os
import stat
from pathlib import Path
from typing import TextIO


def open_private_file(path: Path) -> TextIO:
    """Returns a text file to write, emptied if it exists.

    A device such as /dev/null stays as it is: it belongs to everybody.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    if stat.S_ISREG(os.fstat(handle).st_mode):
        os.fchmod(handle, 0o600)
    return open(handle, "w", encoding="utf-8", newline="")
