"""The people whom a trial's rows would make, in the trial's store: found again by birth date, name and phone."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from portal.imports.matching.candidates import Candidate
from portal.imports.matching.deciding import Decision
from portal.imports.models import Outcome
from portal.patients.matching.duplicates import Facts, facts_of
from portal.patients.matching.facts import COLUMNS
from portal.patients.matching.similar import MOST_OF_A_DAY, MOST_OF_A_NAME, MOST_OF_A_PHONE

TABLE = f"""
    CREATE TABLE face (
        id TEXT PRIMARY KEY, row INTEGER, name TEXT, born TEXT, tel TEXT, {", ".join(f"{one} TEXT" for one in COLUMNS)}
    );
    CREATE INDEX face_by_birth ON face (born);
    CREATE INDEX face_by_name ON face (name);
    CREATE INDEX face_by_phone ON face (tel);
"""
_KEEP = f"INSERT INTO face VALUES ({', '.join('?' * (5 + len(COLUMNS)))})"  # noqa: S608 - words of ours
_FACE = f"SELECT id, row, {', '.join(COLUMNS)} FROM face"  # noqa: S608 - words of ours
_BORN = f"{_FACE} WHERE born = ? LIMIT {MOST_OF_A_DAY}"
_NAMED = f"{_FACE} WHERE name = ? LIMIT {MOST_OF_A_NAME}"
_CALLED = f"{_FACE} WHERE tel = ? LIMIT {MOST_OF_A_PHONE}"


def keep_faces(store: sqlite3.Connection, decisions: Iterable[Decision]) -> None:
    """Remember the new people of these rows."""
    rows = [_row(one) for one in decisions if one.outcome == Outcome.NEW]
    store.executemany(_KEEP, rows)


def faces_near(
    store: sqlite3.Connection, candidates: Sequence[Candidate]
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
                read = dict(zip(COLUMNS, values, strict=True))
                born = date.fromisoformat(read["date_of_birth"]) if read["date_of_birth"] else None
                yield UUID(patient_id), row, read | {"date_of_birth": born}


def _row(decision: Decision) -> list[Any]:
    facts, born = facts_of(decision.details, ()), decision.details["date_of_birth"]
    values = [decision.details[name] for name in COLUMNS]
    values[COLUMNS.index("date_of_birth")] = str(born) if born else None
    return [str(decision.patient_id), decision.row.number, _name(facts), str(born or ""), facts.phone, *values]


def _name(facts: Facts) -> str:
    return f"{facts.family} {facts.given}".strip()


def _turned(facts: Facts) -> str:
    return f"{facts.given} {facts.family}".strip()
