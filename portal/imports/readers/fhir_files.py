"""FHIR R4 Patient resources: a line each (NDJSON), or the entries of one Bundle."""

import json
from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from portal.imports.readers.fhir_bundle import kind_of, parts_elsewhere, read_document
from portal.imports.readers.fhir_json import (
    REPEATED,
    NestedTooDeeply,
    has_repeated_member,
    load_json,
)
from portal.imports.readers.fhir_parts import InvalidResource
from portal.imports.readers.fhir_patient import OPTIONAL, PLACES, read_resource
from portal.imports.readers.fhir_records import RecordIndex
from portal.imports.readers.fhir_texts import CleanedResource, clean_texts
from portal.imports.readers.lines import lines_of
from portal.imports.readers.rows import Problem, Row, Unreadable

# What a line has that says something of other lines: see RecordIndex.
_ABOUT_OTHERS = ('"versionId"', '"lastUpdated"', '"replaces"')
_REPEATS = "An object has one member twice, and nobody knows which of the two values is right."
_NO_OBJECT = "This is JSON, but no object. A patient is one: {…} with its resourceType."
_INCOMPLETE = (
    "The source reports an error here, and its file may not be complete. Ask for it again."
)


class NdjsonFile:
    """FHIR NDJSON: one resource on each line."""

    format = "ndjson"
    header = ["resource"]

    def __init__(self, path: Path) -> None:
        self.path, self.size = path, path.stat().st_size
        self.ignored: list[str] = []

    def __reduce__(self) -> tuple[type["NdjsonFile"], tuple[Path]]:
        """Is the file as it was opened, for another process: what the lines say is read anew."""
        return NdjsonFile, (self.path,)

    def rows(self, after: int = 0) -> Iterator[Row]:
        """See PatientFile; the row's number is its line."""
        for number, line in enumerate(lines_of(self.path), start=1):
            if number <= after or not (line.fault or line.text.strip()):
                continue
            text = line.text.rstrip("\r\n")
            if line.fault:
                yield _broken_row(number, line.end, text, line.fault)
            else:
                yield _row(number, line.end, text, self.records)

    @cached_property
    def records(self) -> RecordIndex:
        """What the lines say of each other: this reads the file once, before the first row."""
        records = RecordIndex("Line")
        for number, line in enumerate(lines_of(self.path), start=1):
            if line.fault or not any(name in line.text for name in _ABOUT_OTHERS):
                continue
            with suppress(ValueError):  # A broken line is told as a row.
                records.add(number, {"resource": load_json(line.text)})
        records.close()
        return records


class BundleFile:
    """A FHIR Bundle, read as a whole, and refused if it is too large for that."""

    format = "bundle"
    header = ["resource"]

    def __init__(self, path: Path) -> None:
        self.size = path.stat().st_size
        document = read_document(path)
        self.entries = document.get("entry") or []
        self.ignored = list(parts_elsewhere(document, self.entries))
        if not any(kind_of(entry) == "Patient" for entry in self.entries):
            raise Unreadable(_no_patients(self.ignored))
        self.records = RecordIndex("Entry", is_history=document.get("type") == "history")
        for number, entry in enumerate(self.entries, start=1):
            if isinstance(entry, dict):
                self.records.add(number, entry)
        self.records.close()

    def rows(self, after: int = 0) -> Iterator[Row]:
        """See PatientFile; resources of a Bundle that are no patients are no rows."""
        for number, entry in enumerate(self.entries, start=1):
            if kind_of(entry) != "Patient" or number <= after:
                continue
            end = self.size * number // len(self.entries)
            text = json.dumps(entry["resource"])
            if reason := self.records.why_not(number, entry):
                yield _broken_row(number, end, text, reason)
            else:
                yield _row(number, end, text)


def _no_patients(elsewhere: list[str]) -> str:
    found = f" It has {'; '.join(elsewhere)}." if elsewhere else ""
    return f"This Bundle has no patients.{found}"


def _broken_row(number: int, end: int, text: str, reason: str) -> Row:
    return Row(number, end, [text], problems=[Problem("", "", reason)])


def _row(number: int, end: int, text: str, records: RecordIndex | None = None) -> Row:
    try:
        resource = load_json(text)
    except NestedTooDeeply:
        return _broken_row(number, end, text, "The JSON is nested too deeply.")
    except ValueError:
        return _broken_row(number, end, text, "The line is not valid JSON.")
    if not isinstance(resource, dict):
        return _broken_row(number, end, text, _NO_OBJECT)
    cleaned = clean_texts(resource, text)
    if cleaned.problems:
        return Row(number, end, [text], problems=cleaned.problems)
    kind = resource.get("resourceType")
    if kind == "OperationOutcome":
        return _broken_row(number, end, text, _INCOMPLETE)
    if kind != "Patient":
        problem = Problem("resourceType", str(kind or ""), "only Patient is imported")
        return Row(number, end, [text], problems=[problem])
    if has_repeated_member(text, resource):
        return _broken_row(number, end, text.replace(f', "{REPEATED}": true', ""), _REPEATS)
    if records and (reason := records.why_not(number, {"resource": resource})):
        return _broken_row(number, end, text, reason)
    return _patient_row(number, end, text, cleaned)


def _patient_row(number: int, end: int, text: str, cleaned: CleanedResource) -> Row:
    try:
        read = read_resource(cleaned.resource)
    except InvalidResource as error:
        return Row(number, end, [text], problems=[Problem(error.path, "", error.reason)])
    return Row(
        number,
        end,
        [text],
        read.details,
        PLACES,
        left_out=cleaned.left_out,
        parts_left_out=read.left_out,
        optional=OPTIONAL,
        is_archived=read.is_archived,
    )
