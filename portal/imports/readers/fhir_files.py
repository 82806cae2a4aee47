"""FHIR R4 Patient resources: a line each (NDJSON), or the entries of one Bundle."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from portal.imports.readers.fhir_patient import PLACES, InvalidResource, resource_details
from portal.imports.readers.lines import lines_of
from portal.imports.readers.rows import Problem, Row, Unreadable

_UNSTORABLE = re.compile(
    r"\\u(0000|d[89ab][0-9a-f]{2}(?!\\ud[c-f])|(?<!\\ud[89ab][0-9a-f]{2}\\u)d[c-f])", re.IGNORECASE
)
MAX_BUNDLE_BYTES = 32 * 1024 * 1024  # A Bundle is one JSON document, and must be held in memory.


class NdjsonFile:
    """One resource on each line."""

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
                yield Row(number, line.end, [text], problems=[Problem("", "", line.fault)])
            else:
                yield _row_of_text(number, line.end, text)


class BundleFile:
    """A Bundle, read as a whole: refused when it is too large for that."""

    format = "bundle"
    header = ["resource"]

    def __init__(self, path: Path) -> None:
        self.size = path.stat().st_size
        self.ignored: list[str] = []
        if self.size > MAX_BUNDLE_BYTES:
            raise Unreadable(
                "This Bundle is too large to be read as one document. Bring the patients as FHIR NDJSON."
            )
        try:
            document = json.loads(path.read_bytes())
        except (ValueError, RecursionError) as error:
            raise Unreadable(
                "This is not complete JSON. Bring patients as FHIR NDJSON, a Bundle or CSV."
            ) from error
        self.entries = _entries(document)

    def rows(self, after: int = 0) -> Iterator[Row]:
        """See PatientFile; other resources than patients of a Bundle are no rows."""
        for number, entry in enumerate(self.entries, start=1):
            resource = entry.get("resource") if isinstance(entry, dict) else None
            if (
                number > after
                and isinstance(resource, dict)
                and resource.get("resourceType") == "Patient"
            ):
                end = self.size * number // len(self.entries)
                yield _row_of_text(number, end, json.dumps(resource))


def _entries(document: Any) -> list[Any]:
    kind = document.get("resourceType") if isinstance(document, dict) else None
    if kind == "Patient":
        return [{"resource": document}]
    if kind != "Bundle" or not isinstance(document.get("entry"), list):
        raise Unreadable("This JSON is neither a FHIR Bundle with entries nor a Patient.")
    return document["entry"]


def _row_of_text(number: int, end: int, text: str) -> Row:
    if _UNSTORABLE.search(text):
        return Row(
            number,
            end,
            [text],
            problems=[Problem("", "", "The line holds characters that are no text.")],
        )
    try:
        resource = json.loads(text)
    except ValueError:
        return Row(number, end, [text], problems=[Problem("", "", "The line is not valid JSON.")])
    except RecursionError:
        return Row(
            number, end, [text], problems=[Problem("", "", "The JSON is nested too deeply.")]
        )
    return _row(number, end, text, resource)


def _row(number: int, end: int, text: str, resource: Any) -> Row:
    kind = resource.get("resourceType") if isinstance(resource, dict) else None
    if kind != "Patient":
        return Row(
            number,
            end,
            [text],
            problems=[Problem("resourceType", str(kind or ""), "only Patient is imported")],
        )
    try:
        return Row(number, end, [text], resource_details(resource), PLACES)
    except InvalidResource as error:
        return Row(number, end, [text], problems=[Problem(error.path, "", error.reason)])
