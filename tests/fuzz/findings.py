"""The faults that a long run has found: of each kind the smallest file, kept in a folder."""

import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzz.drawn_file import DrawnFile
from tests.fuzz.watch import Fault

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Findings:
    """Faults by what they have in common."""

    folder: Path
    files: dict[str, tuple[DrawnFile, str]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, file: DrawnFile, error: BaseException, way: object) -> None:
        """Keeps the file if it is the smallest one of this fault."""
        kind = _kind(error)
        self.counts[kind] += 1
        known = self.files.get(kind)
        if known is None or len(file.content) < len(known[0].content):
            self.files[kind] = (file, f"{way}\n{''.join(traceback.format_exception(error))}")
            self._write(kind)

    def _write(self, kind: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        stem = "".join(letter if letter.isalnum() else "-" for letter in kind)[:80]
        file, trace = self.files[kind]
        (self.folder / f"{stem}.bin").write_bytes(file.content)
        (self.folder / f"{stem}.txt").write_text(f"{kind}\n{file!r}\n{trace}", errors="replace")

    def report(self) -> str:
        """Returns a line for each fault, with the folder of its smallest file."""
        lines = [f"{count} times: {kind}" for kind, count in self.counts.most_common()]
        return "\n".join([*lines, f"The smallest file of each is in {self.folder}"])


def _kind(error: BaseException) -> str:
    """Returns what was promised, or the exception with the place in our code that raised it."""
    if isinstance(error, Fault):
        return error.kind
    frames = traceback.extract_tb(error.__traceback__)
    own = [
        frame for frame in frames if "/portal/" in frame.filename and "tests" not in frame.filename
    ]
    place = f"{Path(own[-1].filename).name}:{own[-1].lineno}" if own else "tests"
    return f"{type(error).__name__} at {place}"
