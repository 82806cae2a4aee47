"""Finds the patients that rows may be about: a few queries for a whole batch."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from portal.imports.matching.row import CheckedRow
from portal.imports.matching.set_aside import SetAside, Validity, find_set_aside
from portal.imports.readers.rows import MRN, RECORD_ID
from portal.patients.fields import ENTERED, ENTERED_FIELDS, Kind
from portal.patients.matching.bulk import PeopleIndex, load_people_index
from portal.patients.matching.rules import (
    ComparedFields,
    IdentifierKey,
    Match,
    PersonKey,
    person_key,
)
from portal.patients.models import Patient, PatientEvent, PatientIdentifier, Status
from portal.patients.selectors import patients_visible_to, patients_with_identifiers
from portal.stored_dates import known_date

_NAMESAKES = """
    SELECT found.id FROM unnest(%s::text[], %s::date[]) AS wanted (name, day)
    CROSS JOIN LATERAL (
        SELECT id FROM patients_patient
        WHERE name_key = name AND date_of_birth = day AND status IN ('active', 'archived')
        UNION ALL
        SELECT id FROM patients_patient
        WHERE name_key = name AND date_of_birth IS NULL AND status IN ('active', 'archived')
    ) AS found
"""
DATES = {field.name for field in ENTERED_FIELDS if field.kind == Kind.DATE}


@dataclass(frozen=True)
class PossibleMatch:
    """A patient who may be the person of a row.

    `row` is the earlier row of this file that was about the patient, 0 if there is none.
    """

    id: UUID
    row: int
    label: str
    match: Match

    @property
    def key(self) -> str:
        """The same in the dry run and in the import, although new patients get new ids in each."""
        return f"row {self.row}" if self.row else str(self.id)

    def as_json(self) -> dict[str, Any]:
        """Returns the match for the review and for reports; it names no value of a patient."""
        return {
            "who": self.key,
            "label": self.label,
            "grade": self.match.grade.value,
            "reasons": [*self.match.reasons],
        }


def reason_to_hold_back(matches: Sequence[PossibleMatch]) -> str:
    """Says in words why a row is not imported."""
    first = matches[0]
    others = f" and {len(matches) - 1} more" if len(matches) > 1 else ""
    reasons = ", ".join(first.match.reasons)
    return (
        f"This may be {first.label}{others} ({reasons}). Nobody has said that it is another person."
    )


@dataclass
class KnownPatient:
    """A patient as it is now: values by field name, identifiers, our own keys, and a label.

    `identifiers` has the first and the last valid day of each.
    """

    id: UUID
    values: dict[str, Any]
    identifiers: dict[IdentifierKey, Validity]
    own_keys: set[IdentifierKey] = field(default_factory=set)
    status: str = Status.ACTIVE
    label: str = ""  # What a message calls the patient: its MRN, or its row.
    # Archived by the undo of an import and not changed since: a new import restores it.
    was_archived_by_undo: bool = False
    phone_e164: str = ""


@dataclass
class ExistingPatients:
    """The patients that a batch may be about, by identifier, and by name and date of birth.

    `matches` are, for each row's number, the recorded patients who may be its person. `new_people`
    are the patients whom earlier rows of the file make, and `new_in_row` the numbers of those rows.
    `recorded_ids` are those on record, and `set_aside` is what a user set aside in some of them.
    `changed_people` are those on record whom earlier rows change without writing it, as a trial
    does: `matches` does not know what they are then.
    """

    patients: dict[UUID, KnownPatient] = field(default_factory=dict)
    holders: dict[IdentifierKey, set[UUID]] = field(default_factory=dict)
    namesakes: dict[PersonKey, list[UUID]] = field(default_factory=dict)
    matches: dict[int, list[Match]] = field(default_factory=dict)
    new_people: PeopleIndex = field(default_factory=PeopleIndex)
    new_in_row: dict[UUID, int] = field(default_factory=dict)
    recorded_ids: set[UUID] = field(default_factory=set)
    set_aside: dict[UUID, SetAside] = field(default_factory=dict)
    changed_people: PeopleIndex = field(default_factory=PeopleIndex)
    changed_ids: set[UUID] = field(default_factory=set)

    def add(self, patient: KnownPatient) -> None:
        """Makes the patient findable; a patient added again replaces the first."""
        if known := self.patients.get(patient.id):
            self._forget(known)
        self.patients[patient.id] = patient
        for identifier in patient.identifiers.keys() | patient.own_keys:
            self.holders.setdefault(identifier, set()).add(patient.id)
        key = person_key(patient.values)
        namesakes = self.namesakes.setdefault(key, [])
        is_candidate = bool(key[0]) and (
            patient.status == Status.ACTIVE or patient.was_archived_by_undo
        )
        if is_candidate and patient.id not in namesakes:
            namesakes.append(patient.id)

    def _forget(self, patient: KnownPatient) -> None:
        for identifier in patient.identifiers.keys() | patient.own_keys:
            self.holders.get(identifier, set()).discard(patient.id)
        namesakes = self.namesakes.get(person_key(patient.values), [])
        if patient.id in namesakes:
            namesakes.remove(patient.id)

    def add_new(
        self,
        patient_id: UUID,
        row: int,
        values: dict[str, Any],
        compared: ComparedFields | None = None,
    ) -> None:
        """Remembers a patient whom a row makes; later rows may be another spelling of it."""
        self.new_people.add(patient_id, values, compared)
        self.new_in_row[patient_id] = row

    def holders_of(self, row: CheckedRow) -> set[UUID]:
        """Returns the patients whom the row's identifiers name: one, none, or several."""
        holders: set[UUID] = set()
        for identifier in row.identifiers:
            if identifier in self.holders:
                holders |= self.holders[identifier]
        return holders

    def find_set_aside(self, rows: Iterable[CheckedRow]) -> None:
        """Finds what a user set aside in the patients whom these rows name."""
        holders = {patient_id for row in rows for patient_id in self.holders_of(row)}
        self.set_aside = find_set_aside(holders & self.recorded_ids)

    def forget_own_keys(self, patient_id: UUID) -> None:
        """Makes a patient of this import one whom no row can name by its MRN.

        The file is older than that MRN, and means another person's.
        """
        patient = self.patients[patient_id]
        for key in patient.own_keys - patient.identifiers.keys():
            self.holders.get(key, set()).discard(patient_id)
        patient.own_keys = set()

    def possible_matches(
        self, row: CheckedRow, earlier: Mapping[UUID, int]
    ) -> tuple[PossibleMatch, ...]:
        """Returns the patients who may be the row's person.

        `earlier` are the rows of this file that were about recorded patients.
        """
        recorded = self.matches.get(row.number, [])
        if self.changed_ids:
            recorded = [match for match in recorded if match.patient_id not in self.changed_ids]
            recorded += self.changed_people.find_strong_matches(row.compared_fields)
        new = self.new_people.find_strong_matches(row.compared_fields)
        return tuple(self._possible_match(match, earlier) for match in [*recorded, *new])

    def _possible_match(self, match: Match, earlier: Mapping[UUID, int]) -> PossibleMatch:
        patient_id = match.patient_id
        if row := self.new_in_row.get(patient_id, 0):
            return PossibleMatch(patient_id, row, label_of_row(row), match)
        label = self.patients[patient_id].label
        return PossibleMatch(patient_id, earlier.get(patient_id, 0), label, match)


def label_of_row(row: int) -> str:
    """Returns what a patient is called whom a row of this file makes, also once it has an MRN."""
    return f"the patient of row {row}"


def find_existing_patients(
    checked_rows: Iterable[CheckedRow], *, to_change: bool = False
) -> ExistingPatients:
    """Returns the patients that these rows may be about, in the order of their ids.

    It takes a few queries for any number of rows. `to_change` locks the patients until the
    transaction ends, so that no other change falls between the lookup and the write.
    """
    rows = list(checked_rows)
    identifiers = {identifier for row in rows for identifier in row.identifiers}
    holders = patients_with_identifiers(identifiers)
    matches = _matches_by_row([row for row in rows if not row.identifiers & holders.keys()])

    ids = {UUID(value) for system, value in identifiers if _is_record_id(system, value)}
    ids |= set(holders.values())
    ids |= _ids_by_mrn(identifiers) | _ids_of_namesakes(rows)
    ids |= {match.patient_id for found in matches.values() for match in found}

    patients = _patients().filter(pk__in=ids).order_by("pk")
    if to_change:
        patients = patients.select_for_update()
    records = list(patients.values("id", "mrn", "status", "version", "phone_e164", *ENTERED))
    held, undone = _identifiers_by_patient(ids), _undone_patients(records)
    existing = ExistingPatients(matches=matches)
    for record in records:
        was_archived_by_undo = record["id"] in undone
        existing.add(
            _known_patient(record, held[record["id"]], was_archived_by_undo=was_archived_by_undo)
        )
    existing.recorded_ids = set(existing.patients)
    existing.find_set_aside(rows)
    return existing


def _matches_by_row(rows: list[CheckedRow]) -> dict[int, list[Match]]:
    """Returns, for rows without a known identifier, the patients who may be their persons."""
    named = [row for row in rows if row.person_key[0]]
    index = load_people_index([row.compared_fields for row in named])
    matches = {row.number: index.find_strong_matches(row.compared_fields) for row in named}
    return {number: found for number, found in matches.items() if found}


def _identifiers_by_patient(
    patient_ids: set[UUID],
) -> defaultdict[UUID, dict[IdentifierKey, Validity]]:
    held: defaultdict[UUID, dict[IdentifierKey, Validity]] = defaultdict(dict)
    identifiers = PatientIdentifier.objects.filter(patient__in=patient_ids)
    columns = ("patient", "system", "value", "valid_from", "valid_to")
    for patient_id, system, value, start, end in identifiers.values_list(*columns):
        held[patient_id][system, value] = known_date(start), known_date(end)
    return held


def _undone_patients(records: list[dict[str, Any]]) -> set[UUID]:
    """Returns the archived patients whose last change was the undo of an import."""
    versions = {
        record["id"]: record["version"] for record in records if record["status"] == Status.ARCHIVED
    }
    if not versions:
        return set()
    undos = PatientEvent.objects.filter(
        pgh_obj__in=versions, version__in=set(versions.values()), pgh_context__has_key="import_undo"
    )
    last_changes = undos.values_list("pgh_obj_id", "version")
    return {patient_id for patient_id, version in last_changes if versions[patient_id] == version}


def _patients() -> QuerySet[Patient]:
    return patients_visible_to(None).order_by()


def _ids_by_mrn(identifiers: set[IdentifierKey]) -> set[UUID]:
    mrns = {value for system, value in identifiers if system == MRN}
    return set(_patients().filter(mrn__in=mrns).values_list("pk", flat=True))


def _ids_of_namesakes(rows: list[CheckedRow]) -> set[UUID]:
    """Returns the patients of these names and days of birth, and those without a day."""
    wanted = {row.person_key[:2] for row in rows if row.person_key[0]}
    if not wanted:
        return set()
    names_and_days = [list(column) for column in zip(*wanted, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(_NAMESAKES, names_and_days)
        return {patient_id for (patient_id,) in cursor.fetchall()}


def _is_record_id(system: str, value: str) -> bool:
    return system == RECORD_ID and len(value) == 32 and not set(value) - set("0123456789ABCDEF")


def _known_patient(
    record: dict[str, Any],
    identifiers: dict[IdentifierKey, Validity],
    *,
    was_archived_by_undo: bool,
) -> KnownPatient:
    """Takes plain values: building whole patients took most of an import's time."""
    return KnownPatient(
        record["id"],
        {name: record[name] for name in ENTERED},
        identifiers,
        own_keys={(RECORD_ID, record["id"].hex.upper()), (MRN, record["mrn"])},
        status=record["status"],
        label=f"MRN {record['mrn']}",
        was_archived_by_undo=was_archived_by_undo,
        phone_e164=record["phone_e164"],
    )
