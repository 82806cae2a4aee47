"""Collects the static files of the pages once: compressed, and with their hash in the name."""

import hashlib
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from embedded import programs

MARK = ".made-from"  # The file that says of which sources the folder was made.


def collect_static_files(environment: Mapping[str, str], *, root: Path) -> None:
    """Fills the folder STATIC_ROOT, unless the sources are those of the last time.

    The folder is complete or as it was, whenever this is cut off.
    """
    folder, sources = Path(environment["STATIC_ROOT"]), describe_sources(root)
    mark = folder / MARK
    if mark.exists() and mark.read_text() == sources:
        return
    new = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    programs.run(
        [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"],
        what="Collecting the static files",
        env={**environment, "STATIC_ROOT": str(new)},
        cwd=root,
    )
    (new / MARK).write_text(sources)
    shutil.rmtree(folder, ignore_errors=True)
    new.replace(folder)


def describe_sources(root: Path) -> str:
    """Returns a digest of what static files are made of: our own files, and the packages."""
    digest = hashlib.sha256((root / "requirements" / "portal.txt").read_bytes())
    for file in sorted((root / "portal").glob("*/static/**/*")):
        about = file.stat()
        digest.update(f"{file.relative_to(root)} {about.st_size} {about.st_mtime_ns}\n".encode())
    return digest.hexdigest()
