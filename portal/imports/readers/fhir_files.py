"""FHIR R4 Patient resources: a line each (NDJSON), or the entries of one Bundle."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from portal.imports.readers.fhir_history import find_superseded
from portal.imports.readers.fhir_json import NestedTooDeeply, load_json
from portal.imports.readers.fhir_patient import OPTIONAL, PLACES, InvalidResource, read_resource
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
            document = load_json(path.read_text("utf-8-sig"))
        except NestedTooDeeply as error:
            raise Unreadable("This JSON is nested too deeply to be patients.") from error
        except ValueError as error:
            raise Unreadable(
                "This is not complete JSON. Bring patients as FHIR NDJSON, a Bundle or CSV."
            ) from error
        self.entries = _entries(document)
        patients = sum(_is_patient(entry) for entry in self.entries)
        if not patients:
            raise Unreadable("This Bundle has no patients.")
        self.superseded = find_superseded(document)
        if others := len(self.entries) - patients:
            self.ignored.append(f"entries of the Bundle that are no patients ({others})")
        if _has_next_page(document):
            self.ignored.append("the other pages of this search: ask the source for all of them")

    def rows(self, after: int = 0) -> Iterator[Row]:
        """See PatientFile; resources of a Bundle that are no patients are no rows."""
        for number, entry in enumerate(self.entries, start=1):
            if not _is_patient(entry) or number <= after:
                continue
            end = self.size * number // len(self.entries)
            text = json.dumps(entry["resource"])
            if reason := self.superseded.get(number):
                yield _broken_row(number, end, text, reason)
            else:
                yield _row(number, end, text)


def _is_patient(entry: Any) -> bool:
    resource = entry.get("resource") if isinstance(entry, dict) else None
    return isinstance(resource, dict) and resource.get("resourceType") == "Patient"


def _has_next_page(document: dict[str, Any]) -> bool:
    links = document.get("link")
    return isinstance(links, list) and any(
        isinstance(link, dict) and link.get("relation") == "next" for link in links
    )


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
        resource = load_json(text)
    except NestedTooDeeply:
        return _broken_row(number, end, text, "The JSON is nested too deeply.")
    except ValueError:
        return _broken_row(number, end, text, "The line is not valid JSON.")
    kind = resource.get("resourceType") if isinstance(resource, dict) else None
    if kind != "Patient":
        problem = Problem("resourceType", str(kind or ""), "only Patient is imported")
        return Row(number, end, [text], problems=[problem])
    try:
        read = read_resource(resource)
    except InvalidResource as error:
        return Row(number, end, [text], problems=[Problem(error.path, "", error.reason)])
    return Row(
        number,
        end,
        [text],
        read.details,
        PLACES,
        parts_left_out=read.left_out,
        optional=OPTIONAL,
        is_archived=read.is_archived,
    )
