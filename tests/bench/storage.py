"""The filled folder of a run, kept from run to run, and a copy of it to work in."""

import hashlib
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from embedded.environment import ROOT

FOLDER = ROOT / ".run" / "bench"
# What decides how a filled folder looks.
SOURCES = (
    "portal/*/migrations/*.py",
    "portal/patients/sql/*.sql",
    "portal/patients/triggers.py",
    "billing_grpc/migrations/versions/*.py",
    "analytics_stream/migrations/versions/*.py",
    "tests/bench/fill*.py",
    "tests/bench/names.py",
    "tests/bench/plain_drf/*.py",
)


@contextmanager
def filled_copy(rows: int) -> Iterator[Path]:
    """Yields a folder with `rows` patients, for the block; it is filled first if none is kept."""
    kept = _kept_folder(rows)
    copy = FOLDER / "work"
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir()
    began = time.monotonic()
    subprocess.run(["cp", "-a", kept, copy / "run"], check=True)
    print(f"{rows:,} patients, copied in {time.monotonic() - began:.0f} s", flush=True)
    try:
        yield copy
    finally:
        shutil.rmtree(copy, ignore_errors=True)


def _kept_folder(rows: int) -> Path:
    folder = FOLDER / f"{rows}-{_mark()}"
    if folder.exists():
        return folder
    FOLDER.mkdir(parents=True, exist_ok=True)
    for older in FOLDER.glob(f"{rows}-*"):
        shutil.rmtree(older)
    began, new = time.monotonic(), FOLDER / f"new-{rows}"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    python = [sys.executable, "-m"]
    command = [*python, "embedded", "run", "--data", new, "--", *python, "tests.bench.fill"]
    subprocess.run([*command, str(rows)], cwd=ROOT, check=True)
    new.rename(folder)
    seconds = time.monotonic() - began
    print(f"filled {rows:,} patients in {seconds:.0f} s; they are kept in {folder}", flush=True)
    return folder


def _mark() -> str:
    """Returns a digest of all that decides how the folder looks."""
    digest = hashlib.sha256()
    for pattern in SOURCES:
        for file in sorted(ROOT.glob(pattern)):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
