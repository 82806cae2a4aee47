"""Import patients from a file: CSV, FHIR NDJSON or a FHIR Bundle."""

import io
import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from portal.errors import PortalError
from portal.imports.matching.deciding import Decision
from portal.imports.private import open_private
from portal.imports.readers import PatientFile, Unreadable, open_patients
from portal.imports.reporting import RejectsFile, Tally
from portal.imports.services import import_now
from portal.imports.work.books import ReadOnlyBook
from portal.imports.work.rehearsing import Rehearsal
from portal.imports.work.running import Told, run

CLEAN, REJECTS, UNREADABLE = 0, 1, 2


class Command(BaseCommand):
    help = (
        "Import patients from CSV (the columns of Synthea or of export_patients, or similar ones), FHIR NDJSON or a "
        "FHIR Bundle. Rows whose identifiers are known update the patient. Exit code 0: clean, 1: rows were rejected, "
        "2: the file cannot be read."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="write nothing, say what would happen")
        parser.add_argument("--report", type=Path, help="write the report to this JSON file")
        parser.add_argument("--rejects", type=Path, help="write refused rows here (default: FILE.rejects.csv)")
        parser.add_argument("--json", action="store_true", help="print the report as JSON")
        parser.add_argument(
            "--allow-duplicates", action="store_true", help="register people whose name and date of birth are known"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        path: Path = options["file"]
        _refuse_missing_folders(options["report"], options["rejects"])
        try:
            report = self._import(path, options)
        except (PortalError, Unreadable) as error:
            raise CommandError(getattr(error, "detail", "") or str(error), returncode=UNREADABLE) from error
        except OSError as error:
            raise CommandError(f"{error.filename or path}: {error.strerror}.", returncode=UNREADABLE) from error
        text = json.dumps(report, indent=2, ensure_ascii=False)
        if options["report"]:
            with open_private(options["report"]) as file:
                file.write(text + "\n")
        if options["json"]:
            self.stdout.write(text)
        else:
            self._print(report)
        if report["rejected"]:
            sys.exit(REJECTS)

    def _import(self, path: Path, options: dict[str, Any]) -> dict[str, Any]:
        file = open_patients(path)
        tally = Tally(RejectsFile(_rejects_path(path, options), file.header))
        with closing(tally.rejects), _progress(tally, file.size, self.stderr) as shown:

            def tell(decisions: Sequence[Decision]) -> None:
                tally.hear(decisions)
                shown()

            if options["dry_run"]:
                job_id = None
                _rehearse(file, allow_duplicates=options["allow_duplicates"], tell=tell)
            else:
                job_id = str(import_now(path, by=None, allow_duplicates=options["allow_duplicates"], tell=tell).pk)
        facts = {"file": path.name, "format": file.format, "dryRun": options["dry_run"], "job": job_id}
        return {**facts, **tally.as_json(), "ignoredColumns": file.ignored}

    def _print(self, report: dict[str, Any]) -> None:
        table = Table(title=f"{report['file']}{' – dry run, nothing was written' if report['dryRun'] else ''}")
        names = ("new", "updated", "unchanged", "duplicates", "rejected", "rowsPerSecond")
        for name in names:
            table.add_column("rows/s" if name == "rowsPerSecond" else name, justify="right")
        table.add_row(*(f"{report[name]:,}" for name in names))
        text = io.StringIO()
        console = Console(file=text, width=100, force_terminal=self.stdout.isatty())
        console.print(table)
        for one in report["firstProblems"]:
            where = f"{one['column']} " if one["column"] else ""
            value = f'"{one["value"]}": ' if one["value"] else ""
            console.print(f"row {one['row']}: {where}{value}{one['reason']}", markup=False, highlight=False)
        if report["ignoredColumns"]:
            console.print(f"Not imported: {', '.join(report['ignoredColumns'])}", markup=False, highlight=False)
        if report["rejectsFile"]:
            console.print(f"Refused rows with their reasons: {report['rejectsFile']}", markup=False, highlight=False)
        self.stdout.write(text.getvalue())


def _refuse_missing_folders(*asked: Path | None) -> None:
    """Before the import, since afterwards the report would be lost."""
    for path in filter(None, asked):
        if not path.absolute().parent.is_dir():
            raise CommandError(f"There is no folder {path.parent} to write {path.name} into.", returncode=UNREADABLE)


def _rehearse(file: PatientFile, *, allow_duplicates: bool, tell: Told) -> None:
    with closing(Rehearsal()) as patients:
        run(file, patients=patients, book=ReadOnlyBook(), allow_duplicates=allow_duplicates, tell=tell)


def _rejects_path(path: Path, options: dict[str, Any]) -> Path | None:
    """As asked for; else beside the report, or here. A dry run writes none unasked."""
    if options["rejects"] or options["dry_run"]:
        return options["rejects"]
    folder = options["report"].parent if options["report"] else Path()
    return folder / f"{path.name}.rejects.csv"


@contextmanager
def _progress(tally: Tally, size: int, stream: Any) -> Iterator[Callable[[], None]]:
    """A bar on a terminal, else a plain line every ten thousand rows."""
    if not stream.isatty():
        yield lambda: _plain_line(tally, size, stream)
        return
    columns = (BarColumn(), TextColumn("{task.percentage:>3.0f} %  {task.fields[pace]} rows/s"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("", total=size, pace="–")
        yield lambda: progress.update(bar, completed=tally.bytes_done, pace=f"{tally.rows / tally.seconds:,.0f}")


def _plain_line(tally: Tally, size: int, stream: Any) -> None:
    if tally.rows // 10_000 > tally.told:
        tally.told = tally.rows // 10_000
        stream.write(
            f"{tally.rows:,} rows, {100 * tally.bytes_done // size} %, {tally.rows / tally.seconds:,.0f} rows/s"
        )
