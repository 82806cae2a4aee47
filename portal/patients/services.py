"""The only writers of patients. Each is one transaction, and calls no other server."""

from collections.abc import Collection, Mapping, Sequence
from operator import itemgetter
from typing import Any
from uuid import UUID

import pghistory
from django.dispatch import Signal
from django.utils import timezone
from uuid_utils.compat import uuid7

from portal.accounts.models import User
from portal.bulk_insert import insert_rows
from portal.errors import Conflict, FieldProblem, InvalidInput, NotFound, StaleVersion
from portal.patients.audit import one_change
from portal.patients.entered_dates import impossible_dates
from portal.patients.idempotency import claim_key, give_key_its_patient
from portal.patients.identifiers import add_identifiers, insert_identifiers, replace_identifiers
from portal.patients.matching.refusal import refuse_duplicates, refuse_duplicates_after_change
from portal.patients.models import Patient, Status
from portal.patients.normalize import e164_after_change
from portal.patients.patient_rows import (
    WRITTEN_COLUMNS,
    column_values,
    insert_patient,
    lock_row,
    new_columns,
    update_row,
)
from portal.patients.quick_change import write_unless_changed
from portal.patients.quick_registration import register_unlike_others
from portal.prepared import Row
from portal.text import clean_entry, has_letter

# Sent inside the transaction by the services that write without the ORM: those send no `post_save`.
# Arguments: patient_ids, and whether they `are_new`.
patients_written = Signal()
# Sent inside the transaction for a patient written alone, with `patient_id` and the `columns` that
# changed; a new patient has none. `register_at_once` and `change_at_once` run each area's
# `request_sql` instead.
patient_changed = Signal()

_SET_BY_SERVICE = ("id", "source", "registered_on")  # Of a new patient.
Details = Mapping[str, Any]


def register_patient(
    details: Details,
    *,
    by: User | None,
    source: str,
    idempotency_key: str = "",
    waits: bool = True,
    override_reason: str = "",
    shown: Collection[UUID] | None = None,
    typed: Details | None = None,
) -> Patient:
    """Returns a new patient made of validated details.

    The same `idempotency_key` of the same user gives, for a day, the patient that it made the first
    time. KeyUsed if the details differ then, or `typed`, where the details hold more than a
    user typed, such as the time. While that registration is under way, the next one `waits` for it,
    or gets InFlight.

    Conflict, with `patientIds` and `candidates`, if a patient has the same name and date of birth
    and no `override_reason` says why this is another person. A page gives the patients whom it has
    `shown`: then it is also a Conflict if a possible duplicate is not among them, or is a probable
    one and there is no reason. Conflict, whatever the reason, if another patient holds an
    identifier.
    """
    override_reason = clean_entry(override_reason, pointer="duplicate_reason")
    with one_change(by, source=source, duplicate_reason=override_reason):
        key = None
        if idempotency_key:
            key = claim_key(idempotency_key, typed or details, by=by, waits=waits)
            if key.patient:
                return key.patient
        similar = refuse_duplicates(details, override_reason=override_reason, shown=shown)
        with pghistory.context(**({"similar": similar} if similar else {})):
            patient = insert_patient(new_columns(details, source))
            patient_changed.send(Patient, patient_id=patient.pk, columns=())
            add_identifiers([(patient.pk, details)])
        if key:
            give_key_its_patient(key, patient)
        return patient


def register_at_once(details: Details, *, by: User | None, source: str) -> Row | None:
    """Does the same by one message to the database, where the new patient is like nobody.

    Returns id, version and JSON. None if it wrote nothing, for `register_patient` to decide.
    """
    return register_unlike_others(details, new_columns(details, source), by=by, source=source)


def register_patients(
    all_details: Sequence[Details], *, by: User | None, source: str
) -> list[Patient]:
    """Returns new patients made of validated details, in their order: see `insert_patients`."""
    ids = insert_patients(all_details, by=by, source=source)
    patients = Patient.objects.in_bulk(ids)
    return [patients[patient_id] for patient_id in ids]


def insert_patients(all_details: Sequence[Details], *, by: User | None, source: str) -> list[UUID]:
    """Makes patients of validated details and returns their ids in order: all of them or none.

    Details may have the `id` that the patient is to get. The caller looks for duplicates before,
    after `lock_people`. IntegrityError if an identifier is taken.
    """
    with one_change(by, source=source):
        given = {name for details in all_details for name in details}
        columns = sorted(given.union(_SET_BY_SERVICE) - {"identifiers"})
        blank, today = Patient(), timezone.localdate()
        defaults = {name: getattr(blank, name) for name in columns} | {"source": source}
        rows = []
        for details in all_details:
            row = {**defaults, "id": None, "registered_on": None, **details}
            row["id"] = row["id"] or uuid7()
            row["registered_on"] = row["registered_on"] or today
            rows.append(row)
        insert_rows(Patient, columns, list(map(itemgetter(*columns), rows)))
        ids = [row["id"] for row in rows]
        insert_identifiers(list(zip(ids, all_details, strict=True)))
        patients_written.send(Patient, patient_ids=ids, are_new=True)
        return ids


def change_patient(
    patient_id: UUID,
    changes: Details,
    *,
    by: User | None,
    source: str,
    expected_version: int | None = None,
    override_reason: str = "",
    shown: Collection[UUID] | None = None,
) -> Patient:
    """Returns the patient with these validated fields changed.

    The log and the version move only if a field differs. `identifiers`, where given, replaces the
    list; an identifier that stays keeps the days that are not named.

    NotFound. StaleVersion if the record is no longer at `expected_version`. Conflict if it was
    merged into another one, or if another patient holds an identifier. A page gives the patients
    whom it has `shown`: then it is also a Conflict, as in `register_patient`, if the change makes
    this record a certain or probable duplicate and no `override_reason` says why it is none.
    """
    override_reason = clean_entry(override_reason, pointer="duplicate_reason")
    with one_change(by, source=source):
        context: dict[str, Any] = {}
        patient = Patient.objects.filter(pk=patient_id).first() if shown is not None else None
        if patient is not None:
            similar = refuse_duplicates_after_change(
                patient, changes, override_reason=override_reason, shown=shown or ()
            )
            if similar:
                context = {"similar": similar, "duplicate_reason": override_reason}
        patient = _lock_patient(patient_id, expected_version)
        with pghistory.context(**context):
            apply_changes(patient, changes)
        return patient


def change_at_once(
    patient: Patient,
    changes: Details,
    *,
    by: User | None,
    source: str,
    expected_version: int | None = None,
) -> Row | None:
    """Does the same to a patient that was just read, by one message to the database.

    Returns id, version and JSON. None if it wrote nothing, for `change_patient` to decide: somebody
    changed the record meanwhile, or the change touches more than the row.
    """
    refuse_merged(patient)
    refuse_stale(patient, expected_version)
    different = _assign_changes(patient, changes)
    if "identifiers" in changes:
        return None
    return write_unless_changed(patient, different, by=by, source=source)


def change_patients(
    changes_by_patient: Sequence[tuple[UUID, Details]], *, by: User | None, source: str
) -> int:
    """Changes several patients in one transaction and returns how many of them differ now.

    It locks them in the order of their ids. Conflict if another patient holds an identifier, or if
    one of the records was merged into another one.
    """
    with one_change(by, source=source):
        changes = dict(changes_by_patient)
        patients = list(Patient.objects.select_for_update().filter(pk__in=changes).order_by("pk"))
        for patient in patients:
            refuse_merged(patient)
        columns: set[str] = set()
        changed = []
        for patient in patients:
            if different := _assign_changes(patient, changes[patient.pk]):
                changed.append(patient)
                columns.update(different)
        if changed:
            Patient.objects.bulk_update(changed, sorted(columns))
        with_identifiers = [
            (patient, changes[patient.pk])
            for patient in patients
            if "identifiers" in changes[patient.pk]
        ]
        touched = {patient.pk for patient in changed} | replace_identifiers(with_identifiers)
        patients_written.send(Patient, patient_ids=sorted(touched), are_new=False)
        return len(touched)


def archive_patient(
    patient_id: UUID, *, by: User | None, source: str, expected_version: int | None = None
) -> Patient:
    """Takes the patient off the lists; restorable. A second time it changes nothing."""
    return _set_status(
        patient_id, Status.ARCHIVED, by=by, source=source, expected_version=expected_version
    )


def restore_patient(
    patient_id: UUID, *, by: User | None, source: str, expected_version: int | None = None
) -> Patient:
    """Puts an archived patient back on the lists."""
    return _set_status(
        patient_id, Status.ACTIVE, by=by, source=source, expected_version=expected_version
    )


def _set_status(
    patient_id: UUID, status: Status, *, by: User | None, source: str, expected_version: int | None
) -> Patient:
    with one_change(by, source=source):
        patient = _lock_patient(patient_id, expected_version)
        apply_changes(patient, {"status": status})
        return patient


def _lock_patient(patient_id: UUID, expected_version: int | None) -> Patient:
    patient = lock_row(patient_id)
    if patient is None:
        raise NotFound("There is no patient with this id.")
    refuse_merged(patient)
    refuse_stale(patient, expected_version)
    return patient


def refuse_merged(patient: Patient) -> None:
    """Conflict, with `mergedInto`, if the record was merged: only an unmerge changes it."""
    if patient.status == Status.MERGED:
        message = "This record was merged into another one; open that one instead."
        raise Conflict(message, mergedInto=str(patient.merged_into_id))


def refuse_stale(patient: Patient, expected_version: int | None) -> None:
    """StaleVersion, with `version`, if the record is not at the version that the user saw."""
    if expected_version is not None and patient.version != expected_version:
        message = (
            "Someone else changed this patient meanwhile. Look at the newest version, "
            "then change it again."
        )
        raise StaleVersion(message, version=patient.version)


def apply_changes(patient: Patient, changes: Details) -> None:
    """Writes what differs on a locked patient, and reads back what the triggers made of it."""
    different = _assign_changes(patient, changes)
    if different and WRITTEN_COLUMNS.issuperset(different):
        update_row(patient)
        patient_changed.send(Patient, patient_id=patient.pk, columns=different)
        if "identifiers" not in changes:
            return
    elif different:  # The status: those who listen to saves act on it.
        patient.save(update_fields=different)
    if "identifiers" in changes:
        replace_identifiers([(patient, changes)])
    patient.refresh_from_db()


def _assign_changes(patient: Patient, changes: Details) -> list[str]:
    """Assigns the changes to the record in memory and returns the columns that differ."""
    values = column_values(changes)
    if "phone" in values or "country" in values:
        phone, country = values.get("phone", patient.phone), values.get("country", patient.country)
        before = (patient.phone, patient.phone_e164)
        values["phone_e164"] = e164_after_change(phone, country, before=before)
    different = [name for name, value in values.items() if getattr(patient, name) != value]
    for name in different:
        setattr(patient, name, values[name])
    _refuse_impossible(patient)
    return different


def _refuse_impossible(patient: Patient) -> None:
    """InvalidInput for a record that the fields of a change make impossible only together.

    A stored date that cannot be is refused here too: the database's checks would refuse any change
    that leaves it.
    """
    if not has_letter(patient.family_name + patient.given_name):
        message = "Enter a family name or a given name."
        raise InvalidInput(errors=[FieldProblem("family_name", "required", message)])
    if problems := impossible_dates(patient):
        raise InvalidInput(problems[0].detail, errors=problems)
    born, died = patient.date_of_birth, patient.deceased_on
    if born and died and died < born:
        message = "The date of death is before the date of birth."
        raise InvalidInput(errors=[FieldProblem("deceased_on", "before-birth", message)])
