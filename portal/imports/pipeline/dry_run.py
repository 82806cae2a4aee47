"""A dry run: decides as a real import would and remembers what it would have written, in a private temporary store."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder

from portal.imports.matching.decision import Decision
from portal.imports.matching.lookup import (
    COLUMNS,
    DATES,
    ExistingPatients,
    KnownPatient,
    find_existing_patients,
)
from portal.imports.matching.row import CheckedRow
from portal.imports.models import Outcome
from portal.patients.matching.lookup import MAX_PER_BIRTH_DATE, MAX_PER_NAME, MAX_PER_PHONE
from portal.patients.matching.rules import COMPARED_COLUMNS as COMPARED
from portal.patients.matching.rules import (
    ComparedFields,
    compared_fields,
    identifier_keys,
    person_key,
)
from portal.patients.models import Status

_TABLES = """
    CREATE TABLE person (id TEXT PRIMARY KEY, first_row INTEGER, facts TEXT);
    CREATE TABLE clue (clue TEXT, id TEXT, PRIMARY KEY (clue, id)) WITHOUT ROWID;
"""

_BY_CLUE = "SELECT id FROM clue WHERE clue IN (SELECT value FROM json_each(?))"
_CHANGED = "SELECT id, first_row, facts FROM person WHERE id IN (SELECT value FROM json_each(?)) AND facts <> ''"
_FIRST_ROWS = "SELECT id, first_row FROM person WHERE id IN (SELECT value FROM json_each(?))"


class DryRun:
    """The patients as they would be. SQLite keeps a store without a name on disk, unlinked, and drops it at the end."""

    def __init__(self) -> None:
        self.store = sqlite3.connect("")
        self.store.executescript(_TABLES + TABLE)
        self.known = ExistingPatients()

    def find_patients(self, candidates: Sequence[CheckedRow]) -> ExistingPatients:
        """See Memory: those of the database, with what earlier rows would have made of them."""
        self.known = find_existing_patients(candidates)
        clues = [clue for one in candidates for clue in _clues(one.pairs, one.person)]
        ids = {str(one) for one in self.known.people} | {
            one for (one,) in self._ask(_BY_CLUE, clues)
        }
        for one, row, facts in self._ask(_CHANGED, list(ids)):
            self.known.add(_person(UUID(one), row, facts, there=self.known.people.get(UUID(one))))
        for patient_id, row, values in faces_near(self.store, candidates):
            self.known.make(patient_id, row, values)
        return self.known

    def earlier_rows(self, patient_ids: Iterable[UUID]) -> dict[UUID, int]:
        """See Memory."""
        return {
            UUID(one): row for one, row in self._ask(_FIRST_ROWS, [str(one) for one in patient_ids])
        }

    def _ask(self, question: str, keys: list[str]) -> list[tuple[Any, ...]]:
        return self.store.execute(question, [json.dumps(keys)]).fetchall()

    def write(self, decisions: Sequence[Decision]) -> None:
        """Remember; the patients stay as they are."""
        keep_faces(self.store, decisions)
        for one in decisions:
            if one.outcome == Outcome.NEW and one.patient_id:
                values = {name: one.details[name] for name in COLUMNS}
                self._keep(one.patient_id, one.row.number, values, identifier_keys(one.details))
            elif one.outcome == Outcome.UPDATED and one.patient_id:
                person = self.known.people[one.patient_id]
                values = person.values | {
                    name: value for name, value in one.details.items() if name in COLUMNS
                }
                self._keep(
                    person.id,
                    one.row.number,
                    values,
                    person.identifiers | identifier_keys(one.details),
                )
            elif one.patient_id:
                self.store.execute(
                    "INSERT OR IGNORE INTO person VALUES (?, ?, '')",
                    [str(one.patient_id), one.row.number],
                )

    def close(self) -> None:
        """Forget everything."""
        self.store.close()

    def _keep(
        self, patient_id: UUID, row: int, values: dict[str, Any], pairs: set[tuple[str, str]]
    ) -> None:
        facts = json.dumps({"values": values, "pairs": sorted(pairs)}, cls=DjangoJSONEncoder)
        self.store.execute(
            "INSERT INTO person VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET facts = excluded.facts",
            [str(patient_id), row, facts],
        )
        clues = [(clue, str(patient_id)) for clue in _clues(pairs, person_key(values))]
        self.store.executemany("INSERT OR IGNORE INTO clue VALUES (?, ?)", clues)


def _clues(pairs: set[tuple[str, str]], person: tuple[str, date | None]) -> list[str]:
    name = [f"name|{person[0]}|{person[1]}"] if person[0] else []
    return [f"identifier|{system}|{value}" for system, value in pairs] + name


def _person(patient_id: UUID, row: int, facts: str, *, there: KnownPatient | None) -> KnownPatient:
    read = json.loads(facts)
    values = {
        name: date.fromisoformat(value) if name in DATES and value else value
        for name, value in read["values"].items()
    }
    pairs = {(system, value) for system, value in read["pairs"]}
    if there:
        return KnownPatient(patient_id, values, pairs, there.own_keys, Status.ACTIVE, there.label)
    return KnownPatient(patient_id, values, pairs, label=f"the patient of row {row}")


TABLE = f"""
    CREATE TABLE face (
        id TEXT PRIMARY KEY, row INTEGER, name TEXT, born TEXT, tel TEXT, {", ".join(f"{one} TEXT" for one in COMPARED)}
    );
    CREATE INDEX face_by_birth ON face (born);
    CREATE INDEX face_by_name ON face (name);
    CREATE INDEX face_by_phone ON face (tel);
"""
_KEEP = f"INSERT INTO face VALUES ({', '.join('?' * (5 + len(COMPARED)))})"  # noqa: S608 - words of ours
_FACE = f"SELECT id, row, {', '.join(COMPARED)} FROM face"  # noqa: S608 - words of ours
_BORN = f"{_FACE} WHERE born = ? LIMIT {MAX_PER_BIRTH_DATE}"
_NAMED = f"{_FACE} WHERE name = ? LIMIT {MAX_PER_NAME}"
_CALLED = f"{_FACE} WHERE tel = ? LIMIT {MAX_PER_PHONE}"


def keep_faces(store: sqlite3.Connection, decisions: Iterable[Decision]) -> None:
    """Remember the new people of these rows."""
    rows = [_row(one) for one in decisions if one.outcome == Outcome.NEW]
    store.executemany(_KEEP, rows)


def faces_near(
    store: sqlite3.Connection, candidates: Sequence[CheckedRow]
) -> Iterator[tuple[UUID, int, dict[str, Any]]]:
    """The id, the row and the columns of those who may be the same people as these, and of others beside them."""
    people = [one.facts for one in candidates]
    asked = [
        (_BORN, {str(one.born) for one in people if one.born}),
        (_NAMED, {*map(_name, people)} | {*map(_turned, people)}),
    ]
    for question, keys in [*asked, (_CALLED, {one.phone for one in people})]:
        for key in keys - {""}:
            for patient_id, row, *values in store.execute(question, [key]):
                read = dict(zip(COMPARED, values, strict=True))
                born = date.fromisoformat(read["date_of_birth"]) if read["date_of_birth"] else None
                yield UUID(patient_id), row, read | {"date_of_birth": born}


def _row(decision: Decision) -> list[Any]:
    facts, born = compared_fields(decision.details, ()), decision.details["date_of_birth"]
    values = [decision.details[name] for name in COMPARED]
    values[COMPARED.index("date_of_birth")] = str(born) if born else None
    return [
        str(decision.patient_id),
        decision.row.number,
        _name(facts),
        str(born or ""),
        facts.phone,
        *values,
    ]


def _name(facts: ComparedFields) -> str:
    return f"{facts.family} {facts.given}".strip()


def _turned(facts: ComparedFields) -> str:
    return f"{facts.given} {facts.family}".strip()
