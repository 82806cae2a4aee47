"""Imports patients from a file: CSV, XLSX, FHIR NDJSON or a FHIR Bundle; or undoes an import."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError

from portal.disk import means_full_disk
from portal.errors import PortalError
from portal.imports.matching.rules import ImportOptions
from portal.imports.models import DuplicatePolicy, ImportJob, JobStatus
from portal.imports.pipeline.dry_run import DryRun
from portal.imports.pipeline.job_store import ReadOnlyProgressStore
from portal.imports.pipeline.read_ahead import ReaderStopped
from portal.imports.pipeline.runner import BatchListener, run
from portal.imports.private_file import open_private_file
from portal.imports.profiles import get_profile
from portal.imports.progress_bar import show_progress
from portal.imports.readers import (
    PatientFile,
    TableFile,
    TableSettings,
    Unreadable,
    open_patients,
    recognise_file,
)
from portal.imports.readers.encodings import LABELS as ENCODINGS
from portal.imports.readers.values import MAPPED, MEANINGS, value_key
from portal.imports.report import (
    Tally,
    import_report,
    report_text,
    undo_report,
    undo_report_text,
)
from portal.imports.row_files import RejectsFile, RemarksFile
from portal.imports.services import import_now, undo_import
from portal.imports.table_setup import ColumnSetup, profile_setup
from portal.patients.dates import DateOrder

# Exit codes. 0: every row came in; 1: rows were refused, or patients left alone.
REJECTS, UNREADABLE, STOPPED = 1, 2, 3


class Command(BaseCommand):
    help = (
        "Import patients from CSV, an Excel workbook, FHIR NDJSON or a FHIR Bundle. CSV and Excel "
        "need the columns of Synthea or of export_patients, or similar ones; --profile reads the "
        "columns that were saved in the browser. A row with a known identifier updates its "
        "patient. "
        "If an import was killed, the same command continues it. "
        "With --undo JOB, undo an import: the patients that it made are archived, the patients "
        "that it changed get their earlier values back, and patients changed since are left alone. "
        "Exit code 0: every row was imported. 1: rows were refused, or patients left alone. 2: the "
        "file cannot be read, or the import cannot be undone. 3: stopped before the end; run the "
        "command again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        source = parser.add_mutually_exclusive_group(required=True)
        source.add_argument("file", type=Path, nargs="?")
        source.add_argument("--undo", type=UUID, metavar="JOB", help="undo this import")
        parser.add_argument(
            "--dry-run", action="store_true", help="write nothing, report what would happen"
        )
        parser.add_argument("--report", type=Path, help="write the report to this JSON file")
        parser.add_argument(
            "--rejects", type=Path, help="write refused rows here (default: FILE.rejects.csv)"
        )
        parser.add_argument(
            "--changes",
            type=Path,
            help="write what rows overwrote, with the old and the new values, and what was left "
            "out here (default: FILE.changes.csv; a dry run writes it only where this is given)",
        )
        parser.add_argument("--json", action="store_true", help="print the report as JSON")
        parser.add_argument(
            "--profile", metavar="NAME", help="use the columns that were saved under this name"
        )
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            metavar="FIELD:VALUE=MEANING",
            help="what a value means, for example --map sex:w=female; once for each value",
        )
        parser.add_argument(
            "--date-order",
            choices=[order.value for order in DateOrder],
            default="",
            help="order of day and month in dates such as 3/4/1984, if the file does not prove one "
            "by other dates (default: that of the clinic)",
        )
        parser.add_argument(
            "--allow-duplicates",
            action="store_true",
            help="register people even if a patient has their name and date of birth",
        )
        parser.add_argument(
            "--likely",
            choices=DuplicatePolicy.values,
            default=DuplicatePolicy.REGISTER,
            help="what to do with a new person who may be registered already, for example under "
            "another spelling: register the person and list the possible duplicate (default), or "
            "refuse the row",
        )
        parser.add_argument(
            "--encoding",
            default="",
            metavar="NAME",
            help="encoding of a CSV file that is not UTF-8 and has no byte order mark: "
            + ", ".join(ENCODINGS),
        )

    def handle(self, *_: Any, **options: Any) -> None:
        _refuse_missing_folders(options["report"], options["rejects"], options["changes"])
        with _errors_as_exit_codes(options["file"]):
            report = self._undo(options) if options["undo"] else self._import(options)
        json_text = json.dumps(report, indent=2, ensure_ascii=False)
        if options["report"]:
            with open_private_file(options["report"]) as file:
                file.write(json_text + "\n")
        as_text = undo_report_text if options["undo"] else report_text
        colour = self.stdout.isatty()
        self.stdout.write(json_text if options["json"] else as_text(report, colour=colour))
        if report.get("rejected") or report.get("leftAlone"):
            sys.exit(REJECTS)

    def _import(self, options: dict[str, Any]) -> dict[str, Any]:
        path = options["file"]
        setup = _setup(path, options)
        reading: dict[str, Any] = {
            "encoding": options["encoding"],
            "values": setup.values,
            "date_order": setup.date_order,
        }
        file = open_patients(path, setup.mapping, **reading)
        job_id = None
        # An import keeps its refused rows in the database, and writes them when it has ended.
        rejects = options["rejects"] if options["dry_run"] else None
        changes = options["changes"] if options["dry_run"] else None
        tally = Tally(RejectsFile(rejects, file.header), RemarksFile(changes))
        progress = show_progress(tally, file.size, self.stderr)
        with closing(tally.rejects), closing(tally.remarks), progress as on_batch:
            if options["dry_run"]:
                _dry_run(file, options, on_batch)
                report = tally.as_json()
            else:
                job = import_now(
                    path,
                    by=None,
                    allow_duplicates=options["allow_duplicates"],
                    duplicate_policy=options["likely"],
                    mapping=setup.mapping,
                    **reading,
                    on_batch=on_batch,
                    on_resume=self._write_resume,
                )
                _refuse_failed(job)
                report = import_report(
                    job,
                    tally,
                    rejects=_path_beside(path, options, "rejects"),
                    remarks=_path_beside(path, options, "changes"),
                )
                job_id = str(job.pk)
        return {
            "file": path.name,
            "format": file.format,
            "dryRun": options["dry_run"],
            "job": job_id,
            **report,
            "ignoredColumns": file.ignored,
        }

    def _undo(self, options: dict[str, Any]) -> dict[str, Any]:
        others = ["dry_run", "rejects", "allow_duplicates", "profile", "encoding", "map"]
        others += ["date_order", "changes"]
        if any(options[name] for name in others):
            raise CommandError("--undo goes with --report and --json alone.", returncode=UNREADABLE)
        done = 0

        def on_batch(count: int) -> None:
            nonlocal done
            done += count
            self.stderr.write(f"{done:,} patients")

        job = undo_import(options["undo"], by=None, on_batch=on_batch)
        _refuse_failed(job)
        return undo_report(job)

    def _write_resume(self, job: ImportJob) -> None:
        self.stderr.write(
            f"An import of this file did not end: {job.rows_read:,} rows are done. Going on with "
            "it, as soon as no other process works on it."
        )


@contextmanager
def _errors_as_exit_codes(path: Path) -> Iterator[None]:
    """Ends the command with a message and an exit code instead of a traceback."""
    resume = "What was written stays; run the same command again to go on."
    try:
        yield
    except (PortalError, Unreadable) as error:
        message = getattr(error, "detail", "") or str(error)
        raise CommandError(message, returncode=UNREADABLE) from error
    except ReaderStopped as error:
        raise CommandError(f"{error} {resume}", returncode=STOPPED) from error
    except (OperationalError, InterfaceError, OSError) as error:
        if isinstance(error, OSError) and not means_full_disk(error):
            message = f"{error.filename or path}: {error.strerror}."
            raise CommandError(message, returncode=UNREADABLE) from error
        cause = "A disk is full." if means_full_disk(error) else "The database does not answer."
        message = f"{cause} {resume}"
        raise CommandError(message, returncode=STOPPED) from error
    except KeyboardInterrupt as error:
        raise CommandError(f"Stopped by hand. {resume}", returncode=STOPPED) from error


def _refuse_failed(job: ImportJob) -> None:
    if job.status == JobStatus.FAILED:
        raise CommandError(job.message, returncode=STOPPED)


def _refuse_missing_folders(*paths: Path | None) -> None:
    """Refuses before the import, since afterwards the report would be lost."""
    for path in filter(None, paths):
        if not path.absolute().parent.is_dir():
            message = f"There is no folder {path.parent} to write {path.name} into."
            raise CommandError(message, returncode=UNREADABLE)


def _setup(path: Path, options: dict[str, Any]) -> ColumnSetup:
    """Returns the saved columns, with the meanings and the order that the options give."""
    setup = ColumnSetup([])
    if options["profile"]:
        file = recognise_file(path, TableSettings(encoding=options["encoding"]))
        if not isinstance(file, TableFile):
            message = "--profile goes with CSV and Excel workbooks: FHIR has no columns."
            raise CommandError(message, returncode=UNREADABLE)
        setup = profile_setup(get_profile(options["profile"]), file.header)
    values = {name: dict(meanings) for name, meanings in setup.values.items()}
    for text in options["map"]:
        name, value, meaning = _parse_meaning(text)
        values.setdefault(name, {})[value] = meaning
    return replace(setup, values=values, date_order=options["date_order"] or setup.date_order)


def _parse_meaning(text: str) -> tuple[str, str, str]:
    """Returns field, value and meaning of `sex:w=female`; an empty meaning leaves it out."""
    field, _, rest = text.partition(":")
    value, sign, meaning = rest.rpartition("=")
    meaning = meaning.strip().lower()
    if field not in MAPPED or not sign or not value_key(value) or meaning not in MEANINGS:
        meanings = ", ".join(sorted(MEANINGS - {""}))
        message = (
            f"Write --map {MAPPED[0]}:VALUE=MEANING, where the meaning is {meanings} or empty."
        )
        raise CommandError(message, returncode=UNREADABLE)
    return field, value_key(value), meaning


def _dry_run(file: PatientFile, options: dict[str, Any], on_batch: BatchListener) -> None:
    import_options = ImportOptions(
        allow_duplicates=options["allow_duplicates"],
        holds_back=options["likely"] == DuplicatePolicy.REFUSE,
    )
    progress = ReadOnlyProgressStore()
    with closing(DryRun()) as patients:
        run(file, patients=patients, progress=progress, options=import_options, on_batch=on_batch)


def _path_beside(path: Path, options: dict[str, Any], name: str) -> Path:
    """Returns the path asked for, else one beside the report, else one in this folder."""
    folder = options["report"].parent if options["report"] else Path()
    return options[name] or folder / f"{path.name}.{name}.csv"
