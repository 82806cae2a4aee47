"""Exports patients as CSV or FHIR NDJSON, in a form that import_patients reads back."""

import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand

from portal.imports.export import WRITERS
from portal.imports.private_file import open_private_file
from portal.patients.models import Patient, Status
from portal.patients.selectors import PatientFilters, every_patient


class Command(BaseCommand):
    help = (
        "Export active patients, in the order of their names. The access log records the export of "
        "every patient."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, help="default: standard output")
        parser.add_argument("--format", choices=sorted(WRITERS), default="csv")
        parser.add_argument("--archived", action="store_true", help="export archived patients too")

    def handle(self, *_: Any, **options: Any) -> None:
        write = WRITERS[options["format"]]
        count = 0
        with _open(options["file"]) as file:
            for line in write(_patients(archived=options["archived"])):
                file.write(line)
                count += 1
        if options["format"] == "csv":
            count -= 1  # The header.
        self.stderr.write(f"{count:,} patients exported.")


def _patients(*, archived: bool) -> Iterator[Patient]:
    for status in (Status.ACTIVE, Status.ARCHIVED) if archived else (Status.ACTIVE,):
        yield from every_patient(None, channel="command", filters=PatientFilters(status=status))


@contextmanager
def _open(path: Path | None) -> Iterator[TextIO]:
    """Opens the file, readable by its owner alone, or standard output."""
    if path is None:
        yield sys.stdout
        return
    with open_private_file(path) as file:
        yield file
