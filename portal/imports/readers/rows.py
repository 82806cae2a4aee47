"""What a reader yields: rows that can be imported, and broken rows that say what is wrong."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol
from uuid import UUID

# Identifier systems of a record's own keys at its source, which may be this portal. A UUID needs no
# name space.
_BEHIND_NOUN = (" that ", " with", " of ")  # What follows the noun that is counted.
RECORD_ID, MRN = "record-id", "mrn-other"
_NOTHING: Mapping[str, Any] = {}  # Shared by all rows, and never changed.
NO_DAY_OF_DEATH = (
    "The patient has died. The portal needs the whole day of death, such as 2015-02-14: add it, or "
    "register by hand."
)


class Unreadable(Exception):
    """The file as a whole cannot be read; the text says what to do and quotes nothing of it."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a row: the column and the value as they stand in the file.

    Both are empty for the row as a whole.
    """

    column: str
    value: str
    reason: str

    def __str__(self) -> str:
        if not self.column:
            return self.reason
        if not self.value:
            return f"{self.column}: {self.reason}"
        return f'{self.column} "{self.value}": {self.reason}'


class Row(NamedTuple):
    """One patient of a file.

    `number` counts as a spreadsheet does: the header is row 1 of a CSV file; lines of NDJSON and
    entries of a Bundle count from 1. `end` is the number of bytes read when the row was complete.
    `raw` is the row as typed, for the rejects file. `details` has Patient's field names, and
    `columns` the file's names of them. A row with problems has the details that could be read.
    `left_out` are the parts that are not imported, each with its reason, although the row is;
    `parts_left_out` counts those that the portal has no place for, by kind. `optional` are the
    fields that a row may lose to be imported. `merged` are cells that are merged with others, each
    with what became of it. `is_archived` is set if the source does not use the
    record any more.
    """

    number: int
    end: int
    raw: list[str]
    details: Mapping[str, Any] = _NOTHING
    columns: Mapping[str, str] = _NOTHING
    problems: Sequence[Problem] = ()
    left_out: Sequence[Problem] = ()
    parts_left_out: Mapping[str, int] = _NOTHING
    merged: Sequence[Problem] = ()
    optional: frozenset[str] = frozenset()
    is_archived: bool = False

    def problem(self, name: str, reason: str) -> Problem:
        """Returns what is wrong with a field, with the file's column and the value as typed."""
        return Problem(self.columns.get(name, name), str(self.details.get(name, "")), reason)

    def identifier_problem(self, identifier: Mapping[str, str], reason: str) -> Problem:
        """Returns what is wrong with an identifier, with the column that holds it."""
        system = identifier["system"]
        cell = self.columns.get("identifiers", "identifiers")
        column = self.columns.get(system) or f"{cell} ({system})"
        return Problem(column, identifier["value"], reason)


def own_keys(record_id: str, mrn: str) -> list[dict[str, str]]:
    """Returns the record's keys at its source as identifiers: its UUID, else its MRN.

    A record number that is no UUID is left out, since another source may mean someone else by it;
    so is an MRN beside a UUID, since every portal counts its MRNs from the same number.
    """
    if record_id and is_record_id(record_id):
        return [{"system": RECORD_ID, "value": str(UUID(record_id))}]
    return [{"system": MRN, "value": mrn}] if mrn else []


def is_record_id(text: str) -> bool:
    """Tells whether the text is a UUID."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def count_words(parts: Mapping[str, int]) -> str:
    """Returns counts in words, such as `1 contact, 2 phones`."""
    words = []
    for kind, count in sorted(parts.items()):
        words.append(f"{count:,} {kind if count == 1 else _plural(kind)}")
    return ", ".join(words)


def _plural(kind: str) -> str:
    """Returns the kind with its noun in the plural: `dates of birth that are not accurate`."""
    end = min((kind.index(text) for text in _BEHIND_NOUN if text in kind), default=len(kind))
    noun, rest = kind[:end], kind[end:]
    if noun.endswith("y"):
        return f"{noun[:-1]}ies{rest}"
    return f"{noun}{'es' if noun.endswith(('s', 'x')) else 's'}{rest}"


class PatientFile(Protocol):
    """A file that was recognised; it can be read from its start, or from any row, repeatedly."""

    format: str
    header: list[str]
    size: int

    @property
    def ignored(self) -> list[str]:
        """The columns that are not imported."""

    def rows(self, after: int = 0) -> Iterator[Row]:
        """Yields the rows with a number above `after`, in the file's order, in bounded memory."""
