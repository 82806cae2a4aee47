"""What the records of one file say of each other: versions, deletions, and replacements.

Only the newest version of a record counts, a deleted record never, and neither does one that
another record of the file replaces, wherever the two stand.
"""

import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

_OLDER = "{place} has a newer version of this record."
_DELETED = "The source has deleted this record: {place} says so."
_REPLACED = "{place} says that it replaces this record at its source."
_TABLE = "CREATE TABLE record (key TEXT, number INTEGER, version TEXT, is_deleted INTEGER)"
_REPEATED_KEYS = """
    SELECT key, number, version, is_deleted FROM record
    WHERE key IN (SELECT key FROM record GROUP BY key HAVING COUNT(*) > 1)
    ORDER BY key, number
"""
# Versions that no server counts, as far as the order goes: a number with so many digits.
_NUMBER = re.compile(r"[0-9]{1,18}")

Entry = Mapping[str, Any]


class RecordIndex:
    """Collects the records of a file, and says which of them are not to be imported.

    `word` is what a record is called in messages, such as "Entry". The versions of a history are
    those of one id. Elsewhere two records of one id are versions only if they count them, and have
    one date of birth: files of two servers may be joined. SQLite keeps the ids on disk.
    """

    def __init__(self, word: str, *, is_history: bool = False) -> None:
        self.word, self.is_history = word, is_history
        self.store = sqlite3.connect("")
        self.store.execute(_TABLE)
        self.replaced: dict[str, int] = {}  # The records named by `replaces`, and where.
        self.superseded: dict[int, str] = {}

    def add(self, number: int, entry: Entry) -> None:
        """Adds an entry of a Bundle; a line of NDJSON is an entry with a resource alone."""
        resource = _member(entry, "resource")
        is_deleted = _method(entry) == "DELETE"
        if is_deleted and resource:
            self.superseded[number] = self._sentence(_DELETED, number)
        if key := self._key(entry, resource):
            version = version_of(resource)
            if self.is_history or version:
                record = (key, number, version, is_deleted)
                self.store.execute("INSERT INTO record VALUES (?, ?, ?, ?)", record)
        own_names = _names(entry, resource)
        for link in _objects(resource, "link"):
            if link.get("type") == "replaces":
                for name in _names_of_target(_member(link, "other")) - own_names:
                    self.replaced.setdefault(name, number)

    def close(self) -> None:
        """Compares the versions once all records are added, and drops the store."""
        for _, rows in groupby(self.store.execute(_REPEATED_KEYS), itemgetter(0)):
            versions = [(number, version, bool(gone)) for _, number, version, gone in rows]
            self._supersede(versions)
        self.store.close()

    def why_not(self, number: int, entry: Entry) -> str:
        """Says why this record is not to be imported; "" for one that is."""
        if reason := self.superseded.get(number):
            return reason
        if not self.replaced:
            return ""
        names = _names(entry, _member(entry, "resource"))
        places = [self.replaced[name] for name in names if name in self.replaced]
        return self._sentence(_REPLACED, min(places)) if places else ""

    def _supersede(self, versions: list[tuple[int, str, bool]]) -> None:
        """A history without comparable versions has the newest one first."""
        numbered = all(version for _, version, _ in versions)
        newest = max(versions, key=itemgetter(1)) if numbered else versions[0]
        text = _DELETED if newest[2] else _OLDER
        for number, version, _ in versions:
            is_older = version < newest[1] if numbered else number != newest[0]
            if is_older:
                self.superseded[number] = self._sentence(text, newest[0])

    def _key(self, entry: Entry, resource: Entry) -> str:
        record_id = resource.get("id")
        if isinstance(record_id, str) and record_id:
            key = f"{resource.get('resourceType')}/{record_id}"
            return key if self.is_history else f"{key} {resource.get('birthDate')}"
        url = _member(entry, "request").get("url")
        return _tail(url) if self.is_history and isinstance(url, str) else ""

    def _sentence(self, text: str, number: int) -> str:
        return text.format(place=f"{self.word} {number} of this file")


def version_of(resource: Entry) -> str:
    """Returns the version as a text that sorts by age, "" if the record does not count it."""
    meta = _member(resource, "meta")
    number, updated = meta.get("versionId"), meta.get("lastUpdated")
    if isinstance(number, str) and _NUMBER.fullmatch(number):
        return number.zfill(18)
    if isinstance(updated, str):
        with suppress(ValueError, OverflowError):
            moment = datetime.fromisoformat(updated)
            if moment.tzinfo:
                return f"at {moment.astimezone(UTC).isoformat(timespec='microseconds')}"
    return ""


def _names(entry: Entry, resource: Entry) -> set[str]:
    """Returns the names by which a link may mean this record."""
    names = set()
    record_id, address = resource.get("id"), entry.get("fullUrl")
    if isinstance(record_id, str) and record_id:
        names.add(f"{resource.get('resourceType')}/{record_id}")
    if isinstance(address, str) and address:
        names.add(_without_version(address))
    names |= {_identifier_name(item) for item in _objects(resource, "identifier")}
    return names - {""}


def _names_of_target(other: Entry) -> set[str]:
    names = {_identifier_name(_member(other, "identifier"))}
    reference = other.get("reference")
    if isinstance(reference, str) and not reference.startswith("#"):
        names |= {_without_version(reference), _tail(reference)}
    return names - {""}


def _identifier_name(identifier: Entry) -> str:
    system, value = identifier.get("system"), identifier.get("value")
    has_both = isinstance(system, str) and isinstance(value, str) and system and value
    return f"{system}|{value}" if has_both else ""


def _tail(url: str) -> str:
    """Returns `Patient/7` of an address, "" if it has no such end."""
    parts = _without_version(url).split("?")[0].split("/")
    return "/".join(parts[-2:]) if len(parts) > 1 else ""


def _without_version(url: str) -> str:
    return url.strip().partition("/_history")[0]


def _method(entry: Entry) -> Any:
    return _member(entry, "request").get("method")


def _objects(holder: Entry, name: str) -> Iterator[Entry]:
    """Yields the objects of a list as far as there are any: wrong types are told elsewhere."""
    found = holder.get(name)
    yield from (item for item in found if isinstance(item, dict)) if isinstance(found, list) else ()


def _member(holder: Entry, name: str) -> Entry:
    found = holder.get(name)
    return found if isinstance(found, dict) else {}
