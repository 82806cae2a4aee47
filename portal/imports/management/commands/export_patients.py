"""Exports patients as CSV or FHIR NDJSON, in a form that import_patients reads back."""

import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from portal.errors import IncompleteExport
from portal.imports.export import WRITERS
from portal.imports.private_file import open_private_file
from portal.patients.models import Status
from portal.patients.selectors import PatientFilters, every_patient


class Command(BaseCommand):
    help = (
        "Export active patients, in the order of their names, as they are at one moment. The "
        "access log records the export of every patient. Exit code 0: the file is complete. 1: it "
        "is not, and its last line says so. While the export runs, the file's name ends in .part."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, help="default: standard output")
        parser.add_argument("--format", choices=sorted(WRITERS), default="csv")
        parser.add_argument("--archived", action="store_true", help="export archived patients too")

    def handle(self, *_: Any, **options: Any) -> None:
        write = WRITERS[options["format"]]
        filters = PatientFilters(status="" if options["archived"] else Status.ACTIVE)
        count = 0
        with _open(options["file"]) as file:
            for line in write(every_patient(None, channel="command", filters=filters)):
                file.write(line)
                count += 1
        if options["format"] == "csv":
            count -= 1  # The header.
        self.stderr.write(f"{count:,} patients exported.")


@contextmanager
def _open(path: Path | None) -> Iterator[TextIO]:
    """Opens the file, readable by its owner alone, or standard output.

    A killed export leaves no file of the wanted name, which could be taken for a whole one.
    CommandError where the patients could not be read to their end.
    """
    is_device = path is not None and path.exists() and not path.is_file()
    part = path.with_name(f"{path.name}.part") if path and not is_device else path
    try:
        if part is None:
            yield sys.stdout
        else:
            with open_private_file(part) as file:
                yield file
    except IncompleteExport as error:
        _finish(part, path)
        raise CommandError(f"The export is not complete: {error.detail}") from error
    except DatabaseError as error:
        _finish(part, path)
        message = "The export is not complete: the database stopped answering. Export again."
        raise CommandError(message) from error
    _finish(part, path)


def _finish(part: Path | None, path: Path | None) -> None:
    if part and path and part != path:
        part.replace(path)
