"""Import patients from a file: CSV, XLSX, FHIR NDJSON or a FHIR Bundle; or take such an import back."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from portal.errors import PortalError
from portal.imports.matching.decision import Decision
from portal.imports.models import DuplicatePolicy, ImportJob, JobStatus
from portal.imports.pipeline.dry_run import DryRun
from portal.imports.pipeline.job_store import ReadOnlyProgressStore
from portal.imports.pipeline.runner import BatchListener, run
from portal.imports.private_file import open_private_file
from portal.imports.profiles import get_profile, mapping_for
from portal.imports.readers import PatientFile, TableFile, Unreadable, open_patients, recognise_file
from portal.imports.readers.encodings import LABELS as ENCODINGS
from portal.imports.report import (
    RejectsFile,
    Tally,
    import_report,
    report_text,
    undo_report,
    undo_report_text,
)
from portal.imports.services import import_now, undo_import

CLEAN, REJECTS, UNREADABLE, STOPPED = 0, 1, 2, 3


class Command(BaseCommand):
    help = (
        "Import patients from CSV or an Excel workbook (the columns of Synthea or of export_patients, or similar ones, "
        "or with --profile those saved in the browser), FHIR NDJSON or a FHIR Bundle. Rows whose identifiers are known "
        "update the patient. With --undo JOB, take an import back: patients whom it made are archived, those whom it "
        "changed are put back, those changed since are left alone. The same command again goes on with what was "
        "killed. Exit code 0: clean, 1: rows were rejected, or patients left alone, 2: the file cannot be read, or the "
        "import not undone, 3: stopped before the end, run it again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("file", type=Path, nargs="?")
        what.add_argument("--undo", type=UUID, metavar="JOB", help="take this import back")
        parser.add_argument(
            "--dry-run", action="store_true", help="write nothing, say what would happen"
        )
        parser.add_argument("--report", type=Path, help="write the report to this JSON file")
        parser.add_argument(
            "--rejects", type=Path, help="write refused rows here (default: FILE.rejects.csv)"
        )
        parser.add_argument("--json", action="store_true", help="print the report as JSON")
        parser.add_argument(
            "--profile", metavar="NAME", help="read the columns as they are saved under this name"
        )
        parser.add_argument(
            "--allow-duplicates",
            action="store_true",
            help="register people whose name and date of birth are known",
        )
        parser.add_argument(
            "--likely",
            choices=DuplicatePolicy.values,
            default=DuplicatePolicy.REGISTER,
            help="new people who may be registered already, as under another spelling: register them, and put each on "
            "the list of possible duplicates (default), or refuse them",
        )
        parser.add_argument(
            "--encoding",
            default="",
            metavar="NAME",
            help=f"of a CSV file that is not UTF-8 and has no byte order mark: {', '.join(ENCODINGS)}",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        _refuse_missing_folders(options["report"], options["rejects"])
        with _errors_in_words(options["file"]):
            report = (
                self._undo(options) if options["undo"] else self._import(options["file"], options)
            )
        text = json.dumps(report, indent=2, ensure_ascii=False)
        if options["report"]:
            with open_private_file(options["report"]) as file:
                file.write(text + "\n")
        words = undo_report_text if options["undo"] else report_text
        self.stdout.write(text if options["json"] else words(report, colour=self.stdout.isatty()))
        if report.get("rejected") or report.get("leftAlone"):
            sys.exit(REJECTS)

    def _import(self, path: Path, options: dict[str, Any]) -> dict[str, Any]:
        encoding, likely = options["encoding"], options["likely"]
        mapping = _saved_columns(path, options["profile"], encoding) if options["profile"] else []
        file, job_id, allow = (
            open_patients(path, mapping, encoding=encoding),
            None,
            options["allow_duplicates"],
        )
        tally = Tally(RejectsFile(options["rejects"] if options["dry_run"] else None, file.header))
        with closing(tally.rejects), _progress(tally, file.size, self.stderr) as tell:
            if options["dry_run"]:
                _rehearse(
                    file,
                    allow_duplicates=allow,
                    holds_back=likely == DuplicatePolicy.REFUSE,
                    tell=tell,
                )
                report = tally.as_json()
            else:
                job = import_now(
                    path,
                    by=None,
                    allow_duplicates=allow,
                    likely=likely,
                    mapping=mapping,
                    encoding=encoding,
                    tell=tell,
                    goes_on=self._say_that_it_goes_on,
                )
                _refuse_failed(job)
                report = import_report(job, tally, rejects=_rejects_path(path, options))
                job_id = str(job.pk)
        facts = {
            "file": path.name,
            "format": file.format,
            "dryRun": options["dry_run"],
            "job": job_id,
        }
        return {**facts, **report, "ignoredColumns": file.ignored}

    def _undo(self, options: dict[str, Any]) -> dict[str, Any]:
        done = 0

        def tell(count: int) -> None:
            nonlocal done
            done += count
            self.stderr.write(f"{done:,} patients")

        if any(
            options[name]
            for name in ("dry_run", "rejects", "allow_duplicates", "profile", "encoding")
        ):
            raise CommandError("--undo goes with --report and --json alone.", returncode=UNREADABLE)
        job = undo_import(options["undo"], by=None, tell=tell)
        _refuse_failed(job)
        return undo_report(job)

    def _say_that_it_goes_on(self, job: ImportJob) -> None:
        self.stderr.write(
            f"An import of this file did not end: {job.rows_read:,} rows are done. Going on with it, as soon as no "
            "other process works on it."
        )


@contextmanager
def _errors_in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except (PortalError, Unreadable) as error:
        raise CommandError(
            getattr(error, "detail", "") or str(error), returncode=UNREADABLE
        ) from error
    except (OperationalError, InterfaceError) as error:
        words = "The database does not answer. What was written stays; run the same command again to go on."
        raise CommandError(words, returncode=STOPPED) from error
    except KeyboardInterrupt as error:
        words = "Stopped by hand. What was written stays; run the same command again to go on."
        raise CommandError(words, returncode=STOPPED) from error
    except OSError as error:
        raise CommandError(
            f"{error.filename or path}: {error.strerror}.", returncode=UNREADABLE
        ) from error


def _refuse_failed(job: ImportJob) -> None:
    if job.status == JobStatus.FAILED:
        raise CommandError(job.message, returncode=STOPPED)


def _refuse_missing_folders(*asked: Path | None) -> None:
    """Before the import, since afterwards the report would be lost."""
    for path in filter(None, asked):
        if not path.absolute().parent.is_dir():
            raise CommandError(
                f"There is no folder {path.parent} to write {path.name} into.",
                returncode=UNREADABLE,
            )


def _saved_columns(path: Path, name: str, encoding: str) -> list[str]:
    file = recognise_file(path, encoding=encoding)
    if not isinstance(file, TableFile):
        raise CommandError(
            "--profile goes with CSV and Excel workbooks: FHIR has no columns.",
            returncode=UNREADABLE,
        )
    return mapping_for(get_profile(name), file.header)


def _rehearse(
    file: PatientFile, *, allow_duplicates: bool, holds_back: bool, tell: BatchListener
) -> None:
    with closing(DryRun()) as patients:
        run(
            file,
            patients=patients,
            book=ReadOnlyProgressStore(),
            allow_duplicates=allow_duplicates,
            holds_back=holds_back,
            tell=tell,
        )


def _rejects_path(path: Path, options: dict[str, Any]) -> Path:
    """As asked for; else beside the report, or here."""
    folder = options["report"].parent if options["report"] else Path()
    return options["rejects"] or folder / f"{path.name}.rejects.csv"


@contextmanager
def _progress(tally: Tally, size: int, stream: Any) -> Iterator[BatchListener]:
    """Counts, and shows a bar on a terminal, else a plain line every ten thousand rows."""

    def told(show: Callable[[], None]) -> BatchListener:
        def tell(decisions: Sequence[Decision]) -> None:
            tally.hear(decisions)
            show()

        return tell

    if not stream.isatty():
        yield told(lambda: _plain_line(tally, size, stream))
        return
    columns = (
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %  {task.fields[pace]} rows/s"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("", total=size, pace="–")
        yield told(
            lambda: progress.update(
                bar, completed=tally.bytes_done, pace=f"{tally.rows / tally.seconds:,.0f}"
            )
        )


def _plain_line(tally: Tally, size: int, stream: Any) -> None:
    if tally.rows // 10_000 > tally.told:
        tally.told = tally.rows // 10_000
        stream.write(
            f"{tally.rows:,} rows, {100 * tally.bytes_done // size} %, {tally.rows / tally.seconds:,.0f} rows/s"
        )
