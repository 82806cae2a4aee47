"""What an import tells the person who runs it: counts, the first problems, and the file of refused rows."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TextIO

from portal.imports.matching.deciding import Decision
from portal.imports.models import Outcome
from portal.imports.private import open_private
from portal.imports.selectors import csv_line, rejects_cells

SHOWN = 10


class RejectsFile:
    """Refused rows as CSV, readable by its owner alone; made with the first of them, so a clean import leaves none."""

    def __init__(self, path: Path | None, header: list[str]) -> None:
        self.path, self.header = path, header
        self.file: TextIO | None = None

    def add(self, decision: Decision) -> None:
        """One row and its reasons."""
        if self.path is None:
            return
        if self.file is None:
            self.file = open_private(self.path)
            self.file.write(csv_line([*self.header, "reason"]))
        problems = [asdict(one) for one in decision.problems]
        self.file.write(csv_line(rejects_cells(self.header, decision.row.number, decision.row.raw, problems)))

    def close(self) -> None:
        """Finish the file."""
        if self.file:
            self.file.close()


@dataclass
class Tally:
    """Counts of one import as it goes on. Times are seconds by the process's own clock."""

    rejects: RejectsFile
    counts: Counter[str] = field(default_factory=Counter)
    first_problems: list[dict[str, Any]] = field(default_factory=list)
    bytes_done: int = 0
    told: int = 0
    began: float = field(default_factory=time.monotonic)

    def hear(self, decisions: Sequence[Decision]) -> None:
        """A batch is safe."""
        self.counts.update(one.outcome.value for one in decisions)
        self.bytes_done = decisions[-1].row.end
        for one in decisions:
            if one.outcome == Outcome.REJECTED:
                self.rejects.add(one)
                room = SHOWN - len(self.first_problems)
                self.first_problems += [{"row": one.row.number, **asdict(problem)} for problem in one.problems[:room]]

    @property
    def rows(self) -> int:
        return self.counts.total()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def as_json(self) -> dict[str, Any]:
        """The report for programs."""
        return {
            "rowsRead": self.rows,
            "new": self.counts["new"],
            "updated": self.counts["updated"],
            "unchanged": self.counts["unchanged"],
            "duplicates": self.counts["duplicate"],
            "rejected": self.counts["rejected"],
            "seconds": round(self.seconds, 3),
            "rowsPerSecond": round(self.rows / max(self.seconds, 0.001)),
            "rejectsFile": str(self.rejects.path) if self.rejects.file else None,
            "firstProblems": self.first_problems,
        }
