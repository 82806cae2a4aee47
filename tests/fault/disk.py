"""Small disks in memory, and the ballast that fills them. They need root."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

PIECE = 1 << 20  # bytes of ballast that are added at a time


@dataclass(frozen=True)
class Disk:
    """A folder; `is_small` if it is a file system of its own that can be filled."""

    folder: Path
    is_small: bool

    @contextmanager
    def full(self) -> Iterator[None]:
        """Fills the disk to the last byte for the block."""
        with filled(self.folder):
            yield


@contextmanager
def filled(folder: Path) -> Iterator[None]:
    """Fills the file system of the folder to the last byte for the block."""
    ballast = folder / "ballast"
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
def small_disk(*, megabytes: int) -> Iterator[Disk]:
    """Mounts a file system in memory for the block, or makes a plain folder without root."""
    with tempfile.TemporaryDirectory(prefix="fault-") as folder:
        is_small = _mount(Path(folder), megabytes)
        try:
            yield Disk(Path(folder), is_small)
        finally:
            if is_small:
                _run("umount", "--lazy", folder)


def _mount(folder: Path, megabytes: int) -> bool:
    if os.geteuid() != 0:
        return False
    size = f"size={megabytes}m,mode=0755"
    return _run("mount", "-t", "tmpfs", "-o", size, "fault", str(folder))


def _run(*command: str) -> bool:
    with suppress(OSError):
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    return False
