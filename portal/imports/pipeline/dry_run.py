"""A dry run: decides as a real import would, and keeps what it would write in a temporary store."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
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
from portal.patients.normalize import e164_after_change
from portal.stored_dates import date_from_text

# `patient`: the patients whom rows were about, with the first such row; `state` is what they would
# be, empty if no row changes them. `patient_key`: identifiers, and names with dates of birth.
# `person`: what the duplicate rules compare of the active ones whom rows make or change; `row` is 0
# for one who is on record.
_TABLES = """
    CREATE TABLE patient (id TEXT PRIMARY KEY, first_row INTEGER, state TEXT);
    CREATE TABLE patient_key (key TEXT, id TEXT, PRIMARY KEY (key, id)) WITHOUT ROWID;
    CREATE TABLE person (
        id TEXT PRIMARY KEY, row INTEGER, name_key TEXT, born TEXT, phone TEXT,
        second_phone TEXT, compared TEXT
    );
    CREATE INDEX person_by_birth ON person (born);
    CREATE INDEX person_by_name ON person (name_key);
    CREATE INDEX person_by_phone ON person (phone);
    CREATE INDEX person_by_second_phone ON person (second_phone);
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
_KEEP_PERSON = """
    INSERT INTO person VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
    name_key = excluded.name_key, born = excluded.born, phone = excluded.phone,
    second_phone = excluded.second_phone, compared = excluded.compared
"""
_BY_BIRTH = "SELECT id, row, compared FROM person WHERE born = ? LIMIT ?"
_BY_NAME = "SELECT id, row, compared FROM person WHERE name_key = ? LIMIT ?"
_BY_PHONE = "SELECT id, row, compared FROM person WHERE phone = ? LIMIT ?"
_BY_SECOND_PHONE = "SELECT id, row, compared FROM person WHERE second_phone = ? LIMIT ?"


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
        similar = list(self._similar_people(rows))
        keys = [key for row in rows for key in _lookup_keys(row.identifiers, row.person_key)]
        ids = {str(patient_id) for patient_id in self.existing.patients}
        ids |= {patient_id for (patient_id,) in self._select(_IDS_BY_KEY, keys)}
        ids |= {str(patient_id) for patient_id, row_number, _ in similar if not row_number}
        for text, first_row, state in self._select(_CHANGED, ids):
            self._add_changed(_read_patient(UUID(text), first_row, state))
        for patient_id, row_number, values in similar:
            if row_number:
                self.existing.add_new(patient_id, row_number, values)
            else:
                self.existing.changed_people.add(patient_id, values)
        if self.existing.changed_ids:
            self.existing.find_set_aside(rows)
        return self.existing

    def _add_changed(self, patient: KnownPatient) -> None:
        self.existing.add(patient)
        if patient.own_keys:
            self.existing.recorded_ids.add(patient.id)
            self.existing.changed_ids.add(patient.id)

    def earlier_rows(self, patient_ids: Iterable[UUID]) -> dict[UUID, int]:
        """See PatientLookup."""
        ids = [str(patient_id) for patient_id in patient_ids]
        return {UUID(text): row for text, row in self._select(_FIRST_ROWS, ids)}

    def write(self, decisions: Sequence[Decision]) -> None:
        """Keeps what would be written; the patients stay as they are."""
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
        if decision.outcome not in (Outcome.NEW, Outcome.UPDATED):
            self.store.execute(_KEEP_UNCHANGED, [str(patient_id), row])
            return
        patient = self._changed_patient(decision, patient_id)
        self.store.execute(_KEEP_STATE, [str(patient_id), row, _state(patient)])
        keys = _lookup_keys(patient.identifiers, person_key(patient.values))
        self.store.executemany(_KEEP_KEY, [(key, str(patient_id)) for key in keys])
        if patient.status == Status.ACTIVE:
            self.store.execute(_KEEP_PERSON, _person(patient, 0 if patient.own_keys else row))

    def _changed_patient(self, decision: Decision, patient_id: UUID) -> KnownPatient:
        """Returns the patient as the decision makes it."""
        details = decision.details
        values = {name: details[name] for name in ENTERED if name in details}
        status = details.get("status", Status.ACTIVE)
        if decision.outcome == Outcome.NEW:
            identifiers = _with_days(details, held={})
            number = details.get("phone_e164") or ""
            return KnownPatient(patient_id, values, identifiers, status=status, phone_e164=number)
        known = self.existing.patients[patient_id]
        changed = replace(
            known,
            values=known.values | values,
            identifiers=_with_days(details, held=known.identifiers),
            status=status,
            was_archived_by_undo=False,
        )
        if {"phone", "country"} & values.keys():
            before = (known.values["phone"], known.phone_e164)
            phone, country = changed.values["phone"], changed.values["country"]
            changed.phone_e164 = e164_after_change(phone, country, before=before)
        return changed

    def _similar_people(
        self, rows: Sequence[CheckedRow]
    ) -> Iterator[tuple[UUID, int, dict[str, Any]]]:
        """Yields id, row and compared columns of people in the store who may be the same as these.

        There are others among them: the rules still have to compare.
        """
        people = [row.compared_fields for row in rows]
        births = {str(person.born) for person in people if person.born}
        names = {person.name_key for person in people}
        phones = {phone for person in people for phone in person.phones}
        for query, keys, limit in [
            (_BY_BIRTH, births, MAX_PER_BIRTH_DATE),
            (_BY_NAME, names, MAX_PER_NAME),
            (_BY_PHONE, phones, MAX_PER_PHONE),
            (_BY_SECOND_PHONE, phones, MAX_PER_PHONE),
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


def _state(patient: KnownPatient) -> str:
    """Returns the patient as JSON, for `_read_patient`."""
    state = {
        "values": patient.values,
        "identifiers": [[*key, *days] for key, days in sorted(patient.identifiers.items())],
        "own_keys": sorted(patient.own_keys),
        "status": patient.status,
        "label": patient.label,
        "phone_e164": patient.phone_e164,
    }
    return json.dumps(state, cls=DjangoJSONEncoder)


def _read_patient(patient_id: UUID, first_row: int, state: str) -> KnownPatient:
    read = json.loads(state)
    identifiers = {
        (system, value): (_read_day(start), _read_day(end))
        for system, value, start, end in read["identifiers"]
    }
    return KnownPatient(
        patient_id,
        _with_dates(read["values"]),
        identifiers,
        own_keys={(system, value) for system, value in read["own_keys"]},
        status=read["status"],
        label=read["label"] or label_of_row(first_row),
        phone_e164=read["phone_e164"],
    )


def _read_day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _with_dates(values: dict[str, Any]) -> dict[str, Any]:
    """Returns the values with dates where the store has text."""
    dates = {name: date_from_text(values[name]) for name in DATES if values.get(name)}
    return values | dates


def _person(patient: KnownPatient, row: int) -> list[Any]:
    """Returns a row of the table `person`."""
    compared = {column: patient.values[column] for column in COMPARED_COLUMNS if column in ENTERED}
    compared["phone_e164"] = patient.phone_e164
    person = compared_fields(compared, ())
    return [
        str(patient.id),
        row,
        person.name_key,
        str(person.born or ""),
        person.phone,
        person.second_phone,
        json.dumps(compared, cls=DjangoJSONEncoder),
    ]
