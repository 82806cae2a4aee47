"""What a FHIR Bundle is, and what it says of parts that it does not hold."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from portal.imports.readers.fhir_json import NestedTooDeeply, load_json
from portal.imports.readers.rows import Unreadable

MAX_BUNDLE_BYTES = 32 * 1024 * 1024  # A Bundle is one JSON document, held in memory.
_ASK_FOR_ALL = "ask the source for all of them"


def read_document(path: Path) -> dict[str, Any]:
    """Returns a Bundle, also for a Patient alone; Unreadable, with what to do, for others."""
    if path.stat().st_size > MAX_BUNDLE_BYTES:
        advice = "Bring the patients as FHIR NDJSON."
        raise Unreadable(f"This Bundle is too large to be read as one document. {advice}")
    try:
        document = load_json(path.read_text("utf-8-sig"), marks_repeated=True)
    except NestedTooDeeply as error:
        raise Unreadable("This JSON is nested too deeply to be patients.") from error
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":
            reason = "This file has several JSON documents. Bring one Bundle in each file."
            raise Unreadable(reason) from error
        reason = "This is not complete JSON. Bring patients as FHIR NDJSON, a Bundle or CSV."
        raise Unreadable(reason) from error
    except ValueError as error:
        raise Unreadable("This is JSON that cannot be read as UTF-8. Save it as UTF-8.") from error
    kind = document.get("resourceType") if isinstance(document, dict) else None
    if kind == "Patient":
        return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": document}]}
    has_entries = kind == "Bundle" and isinstance(document.get("entry") or [], list)
    if not has_entries:
        raise Unreadable("This JSON is neither a FHIR Bundle with entries nor a Patient.")
    return document


def kind_of(entry: Any) -> str:
    """Returns the type of an entry's resource, "" if it has none."""
    resource = entry.get("resource") if isinstance(entry, dict) else None
    kind = resource.get("resourceType") if isinstance(resource, dict) else None
    return kind if isinstance(kind, str) else ""


def parts_elsewhere(document: dict[str, Any], entries: list[Any]) -> Iterator[str]:
    """Yields, for people, what this Bundle does not bring, although it exists."""
    others = [entry for entry in entries if kind_of(entry) != "Patient"]
    bundles = sum(kind_of(entry) == "Bundle" for entry in others)
    if bundles:
        yield f"other Bundles within this one ({bundles:,}): import each of them by itself"
    if len(others) > bundles:
        yield f"entries of the Bundle that are no patients ({len(others) - bundles:,})"
    if any(_is_failure(entry) for entry in others):
        yield "what the source could not give: its Bundle reports an error (OperationOutcome)"
    relations = set(_relations(document))
    total = document.get("total")
    found = sum(_is_counted(entry) for entry in entries)
    if "next" in relations:
        yield f"the other pages of this list: {_ASK_FOR_ALL}"
    elif isinstance(total, int) and total > found:
        yield f"{total - found:,} of {total:,} that this search has found: {_ASK_FOR_ALL}"
    elif relations & {"previous", "prev"}:
        yield f"the earlier pages of this list: {_ASK_FOR_ALL}"


def _relations(document: dict[str, Any]) -> Iterator[str]:
    links = document.get("link")
    for link in links if isinstance(links, list) else []:
        if isinstance(link, dict) and isinstance(link.get("relation"), str):
            yield link["relation"]


def _is_counted(entry: Any) -> bool:
    """Tells whether `total` counts the entry: a search counts what it found, no inclusions."""
    search = entry.get("search") if isinstance(entry, dict) else None
    mode = search.get("mode") if isinstance(search, dict) else None
    return isinstance(entry, dict) and mode not in ("include", "outcome")


def _is_failure(entry: Any) -> bool:
    if kind_of(entry) != "OperationOutcome":
        return False
    issues = entry["resource"].get("issue")
    return isinstance(issues, list) and any(
        isinstance(issue, dict) and issue.get("severity") in ("fatal", "error") for issue in issues
    )
