"""The files about rows that a dry run of the command writes: refused rows, and remarks."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

from portal.csv_safe import csv_header, csv_line
from portal.imports.matching.decision import Decision
from portal.imports.private_file import open_private_file
from portal.imports.selectors import REMARK_HEADER, reject_cells, remark_cells


class PrivateCsv:
    """A CSV file for its owner alone, made with the first line, if a path is given."""

    def __init__(self, path: Path | None, header: Sequence[str]) -> None:
        self.path, self.header = path, header
        self.file: TextIO | None = None

    def write(self, cells: Sequence[str]) -> None:
        """Writes one line."""
        if self.path is None:
            return
        if self.file is None:
            self.file = open_private_file(self.path)
            self.file.write(csv_header(self.header))
        self.file.write(csv_line(cells))

    @property
    def written_path(self) -> Path | None:
        """The path, if there is a file."""
        return self.path if self.file else None

    def close(self) -> None:
        """Closes the file."""
        if self.file:
            self.file.close()


class RejectsFile(PrivateCsv):
    """The refused rows of a dry run."""

    def __init__(self, path: Path | None, header: list[str]) -> None:
        super().__init__(path, [*header, "reason"])
        self.columns = header

    def add(self, decision: Decision) -> None:
        """Writes one row and its reasons."""
        row, problems = decision.row, [asdict(problem) for problem in decision.problems]
        self.write(reject_cells(self.columns, row.number, row.raw, problems))


class RemarksFile(PrivateCsv):
    """What the rows of a dry run would overwrite, and what would not be taken over."""

    def __init__(self, path: Path | None) -> None:
        super().__init__(path, REMARK_HEADER)

    def add(self, decision: Decision) -> None:
        """Writes the remarks on one row."""
        for remark in decision.remarks:
            self.write(remark_cells(decision.row.number, remark))
