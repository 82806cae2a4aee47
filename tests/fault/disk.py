"""A small disk of memory for the database, and the ballast that makes it full. Needs root; else a plain folder."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

MEGABYTES = 512
PIECE = 1 << 20


@dataclass(frozen=True)
class Disk:
    """A folder; `is_small` where it is a file system of its own that can be made full."""

    folder: Path
    is_small: bool

    @contextmanager
    def full(self) -> Iterator[None]:
        """Not a byte is left for the block."""
        ballast = self.folder / "ballast"
        try:
            with ballast.open("wb") as file, suppress(OSError):
                for size in (PIECE, 4096):
                    with suppress(OSError):
                        while True:
                            os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), size)
            yield
        finally:
            ballast.unlink(missing_ok=True)


@contextmanager
def small_disk() -> Iterator[Disk]:
    """A file system in memory for the block; a plain folder where we may not mount one. Its path is short."""
    with tempfile.TemporaryDirectory(prefix="fault-") as folder:
        is_small = _mount(Path(folder))
        try:
            yield Disk(Path(folder), is_small)
        finally:
            if is_small:
                _run("umount", "--lazy", folder)


def _mount(folder: Path) -> bool:
    if os.geteuid() != 0:
        return False
    size = f"size={MEGABYTES}m,mode=0755"
    return _run("mount", "-t", "tmpfs", "-o", size, "fault", str(folder))


def _run(*command: str) -> bool:
    with suppress(OSError):
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    return False
