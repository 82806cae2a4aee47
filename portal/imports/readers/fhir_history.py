"""Versions of one record in a Bundle: only the newest one counts, and a deleted record never."""

import re
from typing import Any

_OLDER = "Entry {number} of this Bundle has a newer version of this record."
_DELETED = "The source has deleted this record: entry {number} of this Bundle says so."


def find_superseded(document: Any) -> dict[int, str]:
    """Returns, for the number of an entry, why it is not the record as it is now.

    A history has the newest version first, unless `versionId` says otherwise.
    """
    entries = document.get("entry")
    if document.get("resourceType") != "Bundle" or not isinstance(entries, list):
        return {}
    reasons = {}
    numbers: dict[str, list[int]] = {}
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict):
            continue
        if _method(entry) == "DELETE":
            reasons[number] = _DELETED.format(number=number)
        if document.get("type") == "history" and (key := _record_key(entry)):
            numbers.setdefault(key, []).append(number)
    for versions in numbers.values():
        newest = _newest(entries, versions)
        text = _DELETED if _method(entries[newest - 1]) == "DELETE" else _OLDER
        others = [number for number in versions if number != newest]
        reasons |= {number: text.format(number=newest) for number in others}
    return reasons


def _newest(entries: list[Any], numbers: list[int]) -> int:
    versions = [_version(entries[number - 1]) for number in numbers]
    if all(version >= 0 for version in versions):
        return numbers[versions.index(max(versions))]
    return numbers[0]


def _version(entry: dict[str, Any]) -> int:
    """Returns the number of the version, -1 if the entry does not count its versions."""
    version = _member(_member(entry, "resource"), "meta").get("versionId")
    if not isinstance(version, str) or not re.fullmatch(r"[0-9]{1,18}", version):
        return -1
    return int(version)


def _record_key(entry: dict[str, Any]) -> str:
    record_id = _member(entry, "resource").get("id")
    if isinstance(record_id, str) and record_id:
        kind = _member(entry, "resource").get("resourceType")
        return f"{kind}/{record_id}"
    url = _member(entry, "request").get("url")
    parts = url.partition("/_history")[0].split("/") if isinstance(url, str) else []
    return "/".join(parts[-2:]) if len(parts) > 1 else ""


def _method(entry: dict[str, Any]) -> Any:
    return _member(entry, "request").get("method")


def _member(holder: dict[str, Any], name: str) -> dict[str, Any]:
    found = holder.get(name)
    return found if isinstance(found, dict) else {}
