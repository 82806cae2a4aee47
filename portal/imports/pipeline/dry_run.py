"""A dry run: decides as a real import would, and keeps what it would write in a temporary store."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder

from portal.imports.matching.decision import Decision
from portal.imports.matching.lookup import (
    DATES,
    ExistingPatients,
    KnownPatient,
    find_existing_patients,
    label_of_row,
)
from portal.imports.matching.row import CheckedRow
from portal.imports.matching.set_aside import Validity
from portal.imports.models import Outcome
from portal.patients.fields import ENTERED
from portal.patients.matching.lookup import MAX_PER_BIRTH_DATE, MAX_PER_NAME, MAX_PER_PHONE
from portal.patients.matching.rules import (
    COMPARED_COLUMNS,
    IdentifierKey,
    PersonKey,
    compared_fields,
    person_key,
)
from portal.patients.models import Status
from portal.stored_dates import date_from_text

# `patient`: the patients whom rows were about, with the first such row; `state` is what they would
# be, empty if no row changes them. `patient_key`: identifiers, and names with dates of birth.
# `new_person`: what the duplicate rules compare of the patients who would be new.
_TABLES = """
    CREATE TABLE patient (id TEXT PRIMARY KEY, first_row INTEGER, state TEXT);
    CREATE TABLE patient_key (key TEXT, id TEXT, PRIMARY KEY (key, id)) WITHOUT ROWID;
    CREATE TABLE new_person (
        id TEXT PRIMARY KEY, row INTEGER, name_key TEXT, born TEXT, phone TEXT, compared TEXT
    );
    CREATE INDEX new_person_by_birth ON new_person (born);
    CREATE INDEX new_person_by_name ON new_person (name_key);
    CREATE INDEX new_person_by_phone ON new_person (phone);
"""
_IDS_BY_KEY = "SELECT id FROM patient_key WHERE key IN (SELECT value FROM json_each(?))"
_CHANGED = """
    SELECT id, first_row, state FROM patient
    WHERE id IN (SELECT value FROM json_each(?)) AND state <> ''
"""
_FIRST_ROWS = "SELECT id, first_row FROM patient WHERE id IN (SELECT value FROM json_each(?))"
_KEEP_UNCHANGED = "INSERT OR IGNORE INTO patient VALUES (?, ?, '')"
_KEEP_STATE = """
    INSERT INTO patient VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET state = excluded.state
"""
_KEEP_KEY = "INSERT OR IGNORE INTO patient_key VALUES (?, ?)"
_KEEP_NEW = "INSERT INTO new_person VALUES (?, ?, ?, ?, ?, ?)"
_BY_BIRTH = "SELECT id, row, compared FROM new_person WHERE born = ? LIMIT ?"
_BY_NAME = "SELECT id, row, compared FROM new_person WHERE name_key = ? LIMIT ?"
_BY_PHONE = "SELECT id, row, compared FROM new_person WHERE phone = ? LIMIT ?"


class DryRun:
    """The patients as they would be.

    SQLite keeps an unnamed store on disk, unlinked, and drops it at the end.
    """

    def __init__(self) -> None:
        self.store = sqlite3.connect("")
        self.store.executescript(_TABLES)
        self.existing = ExistingPatients()

    def find_patients(self, rows: Sequence[CheckedRow]) -> ExistingPatients:
        """See PatientLookup: the patients of the database, as earlier rows would change them."""
        self.existing = find_existing_patients(rows)
        keys = [key for row in rows for key in _lookup_keys(row.identifiers, row.person_key)]
        ids = {str(patient_id) for patient_id in self.existing.patients}
        ids |= {patient_id for (patient_id,) in self._select(_IDS_BY_KEY, keys)}
        for text, first_row, state in self._select(_CHANGED, ids):
            patient_id = UUID(text)
            recorded = self.existing.patients.get(patient_id)
            self.existing.add(_read_patient(patient_id, first_row, state, recorded=recorded))
        for patient_id, row_number, values in self._similar_new_people(rows):
            self.existing.add_new(patient_id, row_number, values)
        return self.existing

    def earlier_rows(self, patient_ids: Iterable[UUID]) -> dict[UUID, int]:
        """See PatientLookup."""
        ids = [str(patient_id) for patient_id in patient_ids]
        return {UUID(text): row for text, row in self._select(_FIRST_ROWS, ids)}

    def write(self, decisions: Sequence[Decision]) -> None:
        """Keeps what would be written; the patients stay as they are."""
        new = [decision for decision in decisions if decision.outcome == Outcome.NEW]
        active = [decision for decision in new if "status" not in decision.details]
        self.store.executemany(_KEEP_NEW, [_new_person(decision) for decision in active])
        for decision in decisions:
            if decision.patient_id:
                self._keep(decision, decision.patient_id)

    def close(self) -> None:
        """Drops the store."""
        self.store.close()

    def _select(self, query: str, keys: Iterable[str]) -> list[tuple[Any, ...]]:
        return self.store.execute(query, [json.dumps([*keys])]).fetchall()

    def _keep(self, decision: Decision, patient_id: UUID) -> None:
        row = decision.row.number
        values = {name: decision.details[name] for name in ENTERED if name in decision.details}
        identifiers = _with_days(decision.details, held={})
        if decision.outcome == Outcome.UPDATED:
            patient = self.existing.patients[patient_id]
            values = patient.values | values
            identifiers = _with_days(decision.details, held=patient.identifiers)
        elif decision.outcome != Outcome.NEW:
            self.store.execute(_KEEP_UNCHANGED, [str(patient_id), row])
            return
        status = decision.details.get("status", Status.ACTIVE)
        held = [[*key, *days] for key, days in sorted(identifiers.items())]
        state = {"values": values, "identifiers": held, "status": status}
        text = json.dumps(state, cls=DjangoJSONEncoder)
        self.store.execute(_KEEP_STATE, [str(patient_id), row, text])
        keys = _lookup_keys(identifiers, person_key(values))
        self.store.executemany(_KEEP_KEY, [(key, str(patient_id)) for key in keys])

    def _similar_new_people(
        self, rows: Sequence[CheckedRow]
    ) -> Iterator[tuple[UUID, int, dict[str, Any]]]:
        """Yields id, row and compared columns of new people who may be the same as these.

        There are others among them: the rules still have to compare.
        """
        people = [row.compared_fields for row in rows]
        births = {str(person.born) for person in people if person.born}
        names = {person.name_key for person in people}
        phones = {person.phone for person in people}
        for query, keys, limit in [
            (_BY_BIRTH, births, MAX_PER_BIRTH_DATE),
            (_BY_NAME, names, MAX_PER_NAME),
            (_BY_PHONE, phones, MAX_PER_PHONE),
        ]:
            for key in keys - {""}:
                for text, row, compared in self.store.execute(query, [key, limit]):
                    yield UUID(text), row, _with_dates(json.loads(compared))


def _with_days(
    details: dict[str, Any], *, held: Mapping[IdentifierKey, Validity]
) -> dict[IdentifierKey, Validity]:
    """Returns what the patient would hold: days that the details do not name stay."""
    identifiers = dict(held)
    for item in details.get("identifiers", []):
        key = item["system"], item["value"]
        start, end = identifiers.get(key, (None, None))
        identifiers[key] = item.get("valid_from", start), item.get("valid_to", end)
    return identifiers


def _lookup_keys(identifiers: Iterable[IdentifierKey], person: PersonKey) -> list[str]:
    name, born, precision = person
    keys = [f"identifier|{system}|{value}" for system, value in identifiers]
    return [*keys, f"name|{name}|{born}|{precision}"] if name else keys


def _read_patient(
    patient_id: UUID, first_row: int, state: str, *, recorded: KnownPatient | None
) -> KnownPatient:
    read = json.loads(state)
    values = _with_dates(read["values"])
    identifiers = {
        (system, value): (_read_day(start), _read_day(end))
        for system, value, start, end in read["identifiers"]
    }
    if recorded is None:
        label = label_of_row(first_row)
        return KnownPatient(patient_id, values, identifiers, status=read["status"], label=label)
    return KnownPatient(
        patient_id, values, identifiers, recorded.own_keys, read["status"], recorded.label
    )


def _read_day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _with_dates(values: dict[str, Any]) -> dict[str, Any]:
    """Returns the values with dates where the store has text."""
    dates = {name: date_from_text(values[name]) for name in DATES if values.get(name)}
    return values | dates


def _new_person(decision: Decision) -> list[Any]:
    """Returns a row of the table `new_person`."""
    person = compared_fields(decision.details, ())
    compared = {column: decision.details[column] for column in COMPARED_COLUMNS}
    return [
        str(decision.patient_id),
        decision.row.number,
        person.name_key,
        str(person.born or ""),
        person.phone,
        json.dumps(compared, cls=DjangoJSONEncoder),
    ]
