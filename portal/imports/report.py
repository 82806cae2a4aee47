"""What an import tells the person who runs it: counts, the first problems, and the file of refused rows."""

import io
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table

from portal.csv_safe import csv_line
from portal.imports.matching.decision import Decision
from portal.imports.models import ImportJob, Outcome
from portal.imports.private_file import open_private_file
from portal.imports.selectors import first_problems, patients_left_alone, reject_cells, rejects_csv

SHOWN = 10


class RejectsFile:
    """A trial's refused rows as CSV, readable by its owner alone; made with the first of them, if a path is given."""

    def __init__(self, path: Path | None, header: list[str]) -> None:
        self.path, self.header = path, header
        self.file: TextIO | None = None

    def add(self, decision: Decision) -> None:
        """One row and its reasons."""
        if self.path is None:
            return
        if self.file is None:
            self.file = open_private_file(self.path)
            self.file.write(csv_line([*self.header, "reason"]))
        problems = [asdict(one) for one in decision.problems]
        self.file.write(
            csv_line(reject_cells(self.header, decision.row.number, decision.row.raw, problems))
        )

    def close(self) -> None:
        """Finish the file."""
        if self.file:
            self.file.close()


@dataclass
class Tally:
    """What this process did, as it goes on. Times are seconds by its own clock."""

    rejects: RejectsFile
    counts: Counter[str] = field(default_factory=Counter)
    first_problems: list[dict[str, Any]] = field(default_factory=list)
    alike_count: int = 0
    first_possible_duplicates: list[dict[str, Any]] = field(default_factory=list)
    bytes_done: int = 0
    told: int = 0
    began: float = field(default_factory=time.monotonic)

    def hear(self, decisions: Sequence[Decision]) -> None:
        """A batch is safe."""
        self.counts.update(one.outcome.value for one in decisions)
        self.bytes_done = decisions[-1].row.end
        self.alike_count += sum(one.is_unasked for one in decisions)
        for one in decisions:
            if one.alike and len(self.first_possible_duplicates) < SHOWN:
                self.first_possible_duplicates.append(
                    {"row": one.row.number, **one.alike[0].as_json()}
                )
            if one.outcome == Outcome.REJECTED:
                self.rejects.add(one)
                room = SHOWN - len(self.first_problems)
                self.first_problems += [
                    {"row": one.row.number, **asdict(problem)} for problem in one.problems[:room]
                ]

    @property
    def rows(self) -> int:
        return self.counts.total()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def as_json(self) -> dict[str, Any]:
        """The report of a trial, for programs."""
        rejects = str(self.rejects.path) if self.rejects.file else None
        return _report(self, dict(self.counts), self.first_problems, rejects, self.alike_count)


def import_report(job: ImportJob, tally: Tally, *, rejects: Path) -> dict[str, Any]:
    """The report of an import, for programs: the whole job, also what processes did that were killed since.

    Refused rows go into the file `rejects`, for its owner alone; there is none if no row was refused.
    """
    counts = {outcome: getattr(job, f"{outcome}_count") for outcome in Outcome.values}
    if job.rejected_count:
        with open_private_file(rejects) as file:
            file.writelines(rejects_csv(job))
    written = str(rejects) if job.rejected_count else None
    return _report(tally, counts, first_problems(job, limit=SHOWN), written, job.alike_count)


def _report(
    tally: Tally,
    counts: dict[str, int],
    problems: list[dict[str, Any]],
    rejects: str | None,
    alike_count: int,
) -> dict[str, Any]:
    return {
        "rowsRead": sum(counts.values()),
        "new": counts.get("new", 0),
        "updated": counts.get("updated", 0),
        "unchanged": counts.get("unchanged", 0),
        "duplicates": counts.get("duplicate", 0),
        "rejected": counts.get("rejected", 0),
        "mayBeRegistered": alike_count,
        "seconds": round(tally.seconds, 3),
        "rowsPerSecond": round(tally.rows / max(tally.seconds, 0.001)),
        "rejectsFile": rejects,
        "firstProblems": problems,
        "firstLikely": tally.first_possible_duplicates,
    }


def undo_report(job: ImportJob) -> dict[str, Any]:
    """What undoing an import came to, for programs."""
    return {
        "job": str(job.pk),
        "file": job.original_name,
        "archived": job.undo_archived_count,
        "restored": job.undo_restored_count,
        "leftAlone": job.undo_left_count,
        "left": [
            {"patientId": str(patient_id), "reason": reason}
            for patient_id, reason in patients_left_alone(job)
        ],
    }


def report_text(report: dict[str, Any], *, colour: bool) -> str:
    """The report of an import for people."""
    lines = [_problem(one) for one in report["firstProblems"]]
    lines += [_likeness(one) for one in report["firstLikely"]]
    if report["mayBeRegistered"]:
        lines.append(f"New, but may be registered already: {report['mayBeRegistered']:,}")
    if report["ignoredColumns"]:
        lines.append(f"Not imported: {', '.join(report['ignoredColumns'])}")
    if report["rejectsFile"]:
        lines.append(f"Refused rows with their reasons: {report['rejectsFile']}")
    if report["job"] and (report["new"] or report["updated"]):
        lines.append(f"To take it back: manage.py import_patients --undo {report['job']}")
    title = f"{report['file']}{' – dry run, nothing was written' if report['dryRun'] else ''}"
    counts = {
        name: report[name] for name in ("new", "updated", "unchanged", "duplicates", "rejected")
    }
    return _table(title, {**counts, "rows/s": report["rowsPerSecond"]}, lines, colour=colour)


def undo_report_text(report: dict[str, Any], *, colour: bool) -> str:
    """The report of undoing for people."""
    lines = [f"patient {one['patientId']}: {one['reason']}" for one in report["left"][:SHOWN]]
    if len(report["left"]) > SHOWN:
        lines.append(f"and {len(report['left']) - SHOWN:,} more: --json names all")
    counts = {
        "archived": report["archived"],
        "restored": report["restored"],
        "left alone": report["leftAlone"],
    }
    return _table(f"{report['file']} – undone", counts, lines, colour=colour)


def _table(title: str, counts: dict[str, int], lines: list[str], *, colour: bool) -> str:
    table = Table(title=title)
    for name in counts:
        table.add_column(name, justify="right")
    table.add_row(*(f"{count:,}" for count in counts.values()))
    text = io.StringIO()
    console = Console(file=text, width=100, force_terminal=colour)
    console.print(table)
    for line in lines:
        console.print(line, markup=False, highlight=False)
    return text.getvalue()


def _likeness(one: dict[str, Any]) -> str:
    return f"row {one['row']}: may be {one['label']}, {one['grade']}: {', '.join(one['reasons'])}"


def _problem(one: dict[str, Any]) -> str:
    where = f"{one['column']} " if one["column"] else ""
    value = f'"{one["value"]}": ' if one["value"] else ""
    return f"row {one['row']}: {where}{value}{one['reason']}"
