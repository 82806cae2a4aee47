"""The report of an import: counts, the first problems, and the file of refused rows."""

import io
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from portal.imports.matching.decision import Decision
from portal.imports.models import ImportJob, Outcome, RemarkKind
from portal.imports.private_file import open_private_file
from portal.imports.readers.rows import count_words
from portal.imports.row_files import RejectsFile, RemarksFile
from portal.imports.selectors import (
    count_remarks,
    first_problems,
    patients_left_alone,
    rejects_csv,
    remarks_csv,
)

SHOWN = 10  # Problems, possible duplicates and patients left alone that a report names.
MAX_LEFT_OUT = 1000  # Rows with parts left out that a report for programs names.
WIDTH = 100  # Columns of the report on a terminal.
_REMARK_WORDS = {
    "overwritten": "Values that were overwritten",
    "leftAsItIs": "Values that a person set aside, and that stay as they are",
    "leftOut": "Values of the file that were left out",
    "mergedCells": "Merged cells, each with what became of it",
}


@dataclass
class Tally:
    """What this process has done so far. Times are seconds by its own clock."""

    rejects: RejectsFile
    remarks: RemarksFile
    counts: Counter[str] = field(default_factory=Counter)
    remark_counts: Counter[str] = field(default_factory=Counter)
    first_problems: list[dict[str, Any]] = field(default_factory=list)
    possible_duplicate_count: int = 0
    first_possible_duplicates: list[dict[str, Any]] = field(default_factory=list)
    parts_left_out: Counter[str] = field(default_factory=Counter)
    rows_left_out: list[dict[str, Any]] = field(default_factory=list)
    bytes_done: int = 0
    began: float = field(default_factory=time.monotonic)

    def add(self, decisions: Sequence[Decision]) -> None:
        """Counts a committed batch."""
        self.counts.update(decision.outcome.value for decision in decisions)
        self.bytes_done = decisions[-1].row.end
        self.possible_duplicate_count += sum(decision.is_unreviewed for decision in decisions)
        for decision in decisions:
            row = decision.row.number
            self.remarks.add(decision)
            self.remark_counts.update(remark.kind for remark in decision.remarks)
            if parts := decision.parts_left_out:
                self.parts_left_out.update(parts)
                if len(self.rows_left_out) < MAX_LEFT_OUT:
                    self.rows_left_out.append({"row": row, "parts": dict(parts)})
            if decision.matches and len(self.first_possible_duplicates) < SHOWN:
                match = decision.matches[0].as_json()
                self.first_possible_duplicates.append({"row": row, **match})
            if decision.outcome == Outcome.REJECTED:
                self.rejects.add(decision)
                room = SHOWN - len(self.first_problems)
                problems = [asdict(problem) for problem in decision.problems[:room]]
                self.first_problems += [{"row": row, **problem} for problem in problems]

    @property
    def rows(self) -> int:
        return self.counts.total()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def as_json(self) -> dict[str, Any]:
        """Returns the report of a dry run, for programs."""
        return _report_json(
            self,
            dict(self.counts),
            problems=self.first_problems,
            rejects=self.rejects.written_path,
            remark_counts=self.remark_counts,
            remarks=self.remarks.written_path,
            possible_duplicate_count=self.possible_duplicate_count,
            parts_left_out=self.parts_left_out,
        )


def import_report(job: ImportJob, tally: Tally, *, rejects: Path, remarks: Path) -> dict[str, Any]:
    """Returns the report of an import, for programs.

    It counts the whole job, also what processes did that were killed. Refused rows go into the file
    `rejects`, and what rows overwrote into the file `remarks`, for their owner alone; there is no
    file if there is nothing to say.
    """
    remark_counts = count_remarks(job)
    if job.rejected_count:
        with open_private_file(rejects) as file:
            file.writelines(rejects_csv(job))
    if any(remark_counts.values()):
        with open_private_file(remarks) as file:
            file.writelines(remarks_csv(job))
    return _report_json(
        tally,
        {outcome: getattr(job, f"{outcome}_count") for outcome in Outcome.values},
        problems=first_problems(job, limit=SHOWN),
        rejects=rejects if job.rejected_count else None,
        remark_counts=remark_counts,
        remarks=remarks if any(remark_counts.values()) else None,
        possible_duplicate_count=job.alike_count,
        parts_left_out=job.parts_left_out,
    )


def _report_json(
    tally: Tally,
    counts: dict[str, int],
    *,
    problems: list[dict[str, Any]],
    rejects: Path | None,
    remark_counts: Mapping[Any, int],
    remarks: Path | None,
    possible_duplicate_count: int,
    parts_left_out: Mapping[str, int],
) -> dict[str, Any]:
    return {
        "rowsRead": sum(counts.values()),
        "new": counts.get("new", 0),
        "updated": counts.get("updated", 0),
        "unchanged": counts.get("unchanged", 0),
        "duplicates": counts.get("duplicate", 0),
        "rejected": counts.get("rejected", 0),
        "mayBeRegistered": possible_duplicate_count,
        "overwritten": remark_counts.get(RemarkKind.OVERWRITTEN, 0),
        "leftAsItIs": remark_counts.get(RemarkKind.KEPT, 0),
        "leftOut": remark_counts.get(RemarkKind.LEFT_OUT, 0),
        "mergedCells": remark_counts.get(RemarkKind.MERGED, 0),
        "seconds": round(tally.seconds, 3),
        "rowsPerSecond": round(tally.rows / max(tally.seconds, 0.001)),
        "partsLeftOut": dict(parts_left_out),
        "partsLeftOutByRow": tally.rows_left_out,
        "rejectsFile": str(rejects) if rejects else None,
        "changesFile": str(remarks) if remarks else None,
        # Without the values: a report is printed, and stays in logs. The rejects file has them.
        "firstProblems": [_without_value(problem) for problem in problems],
        "firstLikely": tally.first_possible_duplicates,
    }


def _without_value(problem: dict[str, Any]) -> dict[str, Any]:
    return {name: text for name, text in problem.items() if name != "value"}


def undo_report(job: ImportJob) -> dict[str, Any]:
    """Returns the report of an undo, for programs."""
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
    """Returns the report of an import for people."""
    lines = [_problem_line(problem) for problem in report["firstProblems"]]
    lines += [_match_line(match) for match in report["firstLikely"]]
    lines += [
        f"row {left['row']}: Left out: {count_words(left['parts'])}"
        for left in report["partsLeftOutByRow"][:SHOWN]
    ]
    if report["partsLeftOut"]:
        lines.append(f"Left out in all: {count_words(report['partsLeftOut'])}")
    if report["mayBeRegistered"]:
        lines.append(f"New, but may be registered already: {report['mayBeRegistered']:,}")
    if report["ignoredColumns"]:
        lines.append(f"Not imported: {', '.join(report['ignoredColumns'])}")
    if report["rejectsFile"]:
        lines.append(f"Refused rows with their reasons: {report['rejectsFile']}")
    lines += _remark_lines(report)
    if report["job"] and (report["new"] or report["updated"]):
        lines.append(f"To undo it: manage.py import_patients --undo {report['job']}")
    title = f"{report['file']}{' – dry run, nothing was written' if report['dryRun'] else ''}"
    names = ("new", "updated", "unchanged", "duplicates", "rejected")
    counts = {name: report[name] for name in names}
    return _table_text(title, {**counts, "rows/s": report["rowsPerSecond"]}, lines, colour=colour)


def _remark_lines(report: dict[str, Any]) -> list[str]:
    """Returns how many values were overwritten, and where they stand: none is printed."""
    lines = [f"{words}: {report[name]:,}" for name, words in _REMARK_WORDS.items() if report[name]]
    if lines and report["changesFile"]:
        lines.append(f"Row by row, with the old and the new values: {report['changesFile']}")
    elif lines:
        lines.append("Row by row, with the old and the new values: with --changes FILE")
    return lines


def undo_report_text(report: dict[str, Any], *, colour: bool) -> str:
    """Returns the report of an undo for people."""
    left = report["left"]
    lines = [f"patient {patient['patientId']}: {patient['reason']}" for patient in left[:SHOWN]]
    if len(left) > SHOWN:
        lines.append(f"and {len(left) - SHOWN:,} more: --json names all")
    counts = {
        "archived": report["archived"],
        "restored": report["restored"],
        "left alone": report["leftAlone"],
    }
    return _table_text(f"{report['file']} – undone", counts, lines, colour=colour)


def _table_text(title: str, counts: dict[str, int], lines: list[str], *, colour: bool) -> str:
    table = Table(title=title)
    for name in counts:
        table.add_column(name, justify="right")
    table.add_row(*(f"{count:,}" for count in counts.values()))
    text = io.StringIO()
    console = Console(file=text, width=WIDTH, force_terminal=colour)
    console.print(table)
    for line in lines:
        console.print(line, markup=False, highlight=False)
    return text.getvalue()


def _match_line(match: dict[str, Any]) -> str:
    reasons = ", ".join(match["reasons"])
    return f"row {match['row']}: may be {match['label']}, {match['grade']}: {reasons}"


def _problem_line(problem: dict[str, Any]) -> str:
    column = f"{problem['column']}: " if problem["column"] else ""
    return f"row {problem['row']}: {column}{problem['reason']}"
