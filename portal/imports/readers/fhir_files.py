"""FHIR R4 Patient resources: a line each (NDJSON), or the entries of one Bundle."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from portal.imports.readers.fhir_patient import PLACES, InvalidResource, resource_details
from portal.imports.readers.lines import lines_of
from portal.imports.readers.rows import Problem, Row, Unreadable

# An escaped NUL, or one half of a surrogate pair without the other: PostgreSQL holds neither.
_UNSTORABLE = re.compile(
    r"\\u(0000|d[89ab][0-9a-f]{2}(?!\\ud[c-f])|(?<!\\ud[89ab][0-9a-f]{2}\\u)d[c-f])", re.IGNORECASE
)
MAX_BUNDLE_BYTES = 32 * 1024 * 1024  # A Bundle is one JSON document, held in memory.


class NdjsonFile:
    """FHIR NDJSON: one resource on each line."""

    format = "ndjson"
    header = ["resource"]

    def __init__(self, path: Path) -> None:
        self.path, self.size = path, path.stat().st_size
        self.ignored: list[str] = []

    def rows(self, after: int = 0) -> Iterator[Row]:
        """See PatientFile; the row's number is its line."""
        for number, line in enumerate(lines_of(self.path), start=1):
            if number <= after or not (line.fault or line.text.strip()):
                continue
            text = line.text.rstrip("\r\n")
            if line.fault:
                yield _broken_row(number, line.end, text, line.fault)
            else:
                yield _row(number, line.end, text)


class BundleFile:
    """A FHIR Bundle, read as a whole, and refused if it is too large for that."""

    format = "bundle"
    header = ["resource"]

    def __init__(self, path: Path) -> None:
        self.size = path.stat().st_size
        self.ignored: list[str] = []
        if self.size > MAX_BUNDLE_BYTES:
            advice = "Bring the patients as FHIR NDJSON."
            raise Unreadable(f"This Bundle is too large to be read as one document. {advice}")
        try:
            document = json.loads(path.read_bytes())
        except (ValueError, RecursionError) as error:
            raise Unreadable(
                "This is not complete JSON. Bring patients as FHIR NDJSON, a Bundle or CSV."
            ) from error
        self.entries = _entries(document)

    def rows(self, after: int = 0) -> Iterator[Row]:
        """See PatientFile; resources of a Bundle that are no patients are no rows."""
        for number, entry in enumerate(self.entries, start=1):
            resource = entry.get("resource") if isinstance(entry, dict) else None
            is_patient = isinstance(resource, dict) and resource.get("resourceType") == "Patient"
            if is_patient and number > after:
                end = self.size * number // len(self.entries)
                yield _row(number, end, json.dumps(resource))


def _entries(document: Any) -> list[Any]:
    kind = document.get("resourceType") if isinstance(document, dict) else None
    if kind == "Patient":
        return [{"resource": document}]
    if kind != "Bundle" or not isinstance(document.get("entry"), list):
        raise Unreadable("This JSON is neither a FHIR Bundle with entries nor a Patient.")
    return document["entry"]


def _broken_row(number: int, end: int, text: str, reason: str) -> Row:
    return Row(number, end, [text], problems=[Problem("", "", reason)])


def _row(number: int, end: int, text: str) -> Row:
    if _UNSTORABLE.search(text):
        return _broken_row(number, end, text, "The line holds characters that are no text.")
    try:
        resource = json.loads(text)
    except ValueError:
        return _broken_row(number, end, text, "The line is not valid JSON.")
    except RecursionError:
        return _broken_row(number, end, text, "The JSON is nested too deeply.")
    kind = resource.get("resourceType") if isinstance(resource, dict) else None
    if kind != "Patient":
        problem = Problem("resourceType", str(kind or ""), "only Patient is imported")
        return Row(number, end, [text], problems=[problem])
    try:
        return Row(number, end, [text], resource_details(resource), PLACES)
    except InvalidResource as error:
        return Row(number, end, [text], problems=[Problem(error.path, "", error.reason)])
