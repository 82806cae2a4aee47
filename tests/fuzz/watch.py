"""What one import may cost, and what it may say."""

import contextlib
import io
import logging
import resource
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from tests.fuzz.drawn_file import MARK

CPU_SECONDS = 6.0  # For a trial and an import of a file of at most some megabytes.
MEMORY_BYTES = 160 * 1024 * 1024
HANG_SECONDS = 120  # By the clock of the wall, until an import counts as one that never ends.


class Fault(AssertionError):
    """A promise that an import broke; `kind` groups faults of one cause."""

    def __init__(self, kind: str, more: str = "") -> None:
        super().__init__(f"{kind}: {more}" if more else kind)
        self.kind = kind


@contextlib.contextmanager
def watched(*, may_quote: bool) -> Iterator[None]:
    """Fault if the block costs too much, never ends, or writes a value of a patient.

    `may_quote` is set if a value became the name of a column.
    """
    with _no_longer_than(HANG_SECONDS), _bounded(), _collected() as said:
        yield
    if MARK in said.getvalue() and not may_quote:
        raise Fault("A value of a patient in the logs or on the terminal", said.getvalue()[:500])


@contextlib.contextmanager
def _no_longer_than(seconds: int) -> Iterator[None]:
    def stop(_number: int, _frame: FrameType | None) -> None:
        raise Fault("The import did not end")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def _bounded() -> Iterator[None]:
    begin = _resident_bytes("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # The peak starts anew.
    began = time.process_time()
    yield
    seconds = time.process_time() - began
    grown = _resident_bytes("VmHWM") - begin
    if seconds > CPU_SECONDS:
        raise Fault("An import took too long", f"{seconds:.1f} s")
    if grown > MEMORY_BYTES:
        raise Fault("An import took too much memory", f"{grown // 1024**2} MB")


def _resident_bytes(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


def peak_megabytes() -> int:
    """Returns the most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


@contextlib.contextmanager
def _collected() -> Iterator[io.StringIO]:
    """Yields what the process logs, from INFO on, and prints."""
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    root = logging.getLogger()
    handler.setFormatter(next(h.formatter for h in root.handlers if h.formatter))
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            yield said
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
