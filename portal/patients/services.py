"""Everything that may change a patient: the only writers. Each is one transaction, and calls out to nobody."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import pghistory
from django.db import transaction
from django.dispatch import Signal
from django.utils import timezone

from portal.accounts.models import User
from portal.errors import Conflict, FieldProblem, InvalidInput, NotFound, StaleVersion
from portal.patients.audit import written_by
from portal.patients.idempotency import claim_key
from portal.patients.identifiers import add_identifiers, insert_identifiers, replace_identifiers
from portal.patients.matching.lookup import refuse_duplicates, refuse_duplicates_after_change
from portal.patients.models import Patient, Status
from portal.patients.normalize import e164

# Sent inside the transaction by the doors that write many at once: they give no post_save. Argument: patient_ids.
patients_written = Signal()

Details = Mapping[str, Any]


def register_patient(
    details: Details,
    *,
    by: User | None,
    source: str,
    idempotency_key: str = "",
    waits: bool = True,
    duplicate_reason: str = "",
    shown: Collection[UUID] | None = None,
    typed: Details | None = None,
) -> Patient:
    """A new patient out of cleaned details.

    The same `idempotency_key` by the same user gives for a day the patient it made the first time (Unprocessable if
    the details differ, or `typed`, where the details hold more than somebody typed, such as the moment of the press).
    While that registration is under way, the next one `waits` for it, or gets InFlight.
    Conflict, with `patientIds` and `candidates`, if a patient of the same name and date of birth is there and no
    `duplicate_reason` says why this is another person. A page gives the patients whom it has `shown`: then it is also
    a Conflict if somebody who may be this person is not among them, or is so probably and there is no reason.
    Conflict, whatever the reason, if an identifier belongs to someone else.
    """
    with transaction.atomic(), written_by(by, source=source, duplicate_reason=duplicate_reason):
        key = (
            claim_key(idempotency_key, typed or details, by=by, waits=waits)
            if idempotency_key
            else None
        )
        if key and key.patient:
            return key.patient
        others = refuse_duplicates(details, override_reason=duplicate_reason, shown=shown)
        patient = _new(details, source)
        with pghistory.context(**({"similar": others} if others else {})):
            patient.save(force_insert=True)
            add_identifiers([(patient, details)])
        if key:
            key.patient = patient
            key.save(update_fields=["patient"])
        return patient


def register_patients(many: Sequence[Details], *, by: User | None, source: str) -> list[Patient]:
    """New patients out of cleaned details, in their order: all or none. IntegrityError if an identifier is taken.

    Details may have the `id` that the patient is to get.

    Whether one of them is there already is for the caller to find out first, behind `lock_people`.
    """
    with transaction.atomic(), written_by(by, source=source):
        patients = Patient.objects.bulk_create([_new(details, source) for details in many])
        insert_identifiers(list(zip(patients, many, strict=True)))
        patients_written.send(Patient, patient_ids=[patient.pk for patient in patients])
        return patients


def change_patient(
    patient_id: UUID,
    changes: Details,
    *,
    by: User | None,
    source: str,
    expected_version: int | None = None,
    duplicate_reason: str = "",
    shown: Collection[UUID] | None = None,
) -> Patient:
    """The patient with these cleaned fields changed; the log and the version move only if something differs.

    `identifiers`, where given, replaces the list; one that stays keeps the days that it does not name.
    NotFound; StaleVersion if the record is no longer at `expected_version`; Conflict if it was merged into another one,
    or if an identifier belongs to someone else. A page gives the patients whom it has `shown`: then it is also a
    Conflict, as in `register_patient`, if the change makes this record like another one, exactly or probably, and no
    `duplicate_reason` says why it is another person.
    """
    with transaction.atomic(), written_by(by, source=source):
        others = _made_alike(patient_id, changes, reason=duplicate_reason, shown=shown)
        patient = _locked(patient_id, expected_version)
        with pghistory.context(
            **({"similar": others, "duplicate_reason": duplicate_reason} if others else {})
        ):
            apply_changes(patient, changes)
        return patient


def _made_alike(
    patient_id: UUID, changes: Details, *, reason: str, shown: Collection[UUID] | None
) -> list[str]:
    patient = Patient.objects.filter(pk=patient_id).first() if shown is not None else None
    return (
        refuse_duplicates_after_change(patient, changes, override_reason=reason, shown=shown or ())
        if patient
        else []
    )


def change_patients(many: Sequence[tuple[UUID, Details]], *, by: User | None, source: str) -> int:
    """Change several in one transaction, set by set, locked in the order of their ids; how many differ now.

    Conflict if an identifier belongs to someone else, or if one of the records was merged into another one.
    """
    with transaction.atomic(), written_by(by, source=source):
        changes = dict(many)
        locked = list(Patient.objects.select_for_update().filter(pk__in=changes).order_by("pk"))
        for patient in locked:
            refuse_merged(patient)
        written = [(patient, _set(patient, changes[patient.pk])) for patient in locked]
        changed = [patient for patient, names in written if names]
        if changed:
            Patient.objects.bulk_update(
                changed, sorted({name for _, names in written for name in names})
            )
        touched = {patient.pk for patient in changed} | replace_identifiers(
            [
                (patient, changes[patient.pk])
                for patient, _ in written
                if "identifiers" in changes[patient.pk]
            ]
        )
        patients_written.send(Patient, patient_ids=sorted(touched))
        return len(touched)


def archive_patient(
    patient_id: UUID, *, by: User | None, source: str, expected_version: int | None = None
) -> Patient:
    """Take the patient off the lists; restorable. Archiving an archived one changes nothing."""
    return _set_status(
        patient_id, Status.ARCHIVED, by=by, source=source, expected_version=expected_version
    )


def restore_patient(
    patient_id: UUID, *, by: User | None, source: str, expected_version: int | None = None
) -> Patient:
    """Put an archived patient back on the lists."""
    return _set_status(
        patient_id, Status.ACTIVE, by=by, source=source, expected_version=expected_version
    )


def _set_status(
    patient_id: UUID, status: Status, *, by: User | None, source: str, expected_version: int | None
) -> Patient:
    with transaction.atomic(), written_by(by, source=source):
        patient = _locked(patient_id, expected_version)
        apply_changes(patient, {"status": status})
        return patient


def _locked(patient_id: UUID, expected_version: int | None) -> Patient:
    patient = Patient.objects.select_for_update().filter(pk=patient_id).first()
    if patient is None:
        raise NotFound("There is no patient with this id.")
    refuse_merged(patient)
    refuse_stale(patient, expected_version)
    return patient


def refuse_merged(patient: Patient) -> None:
    """Conflict, with `mergedInto`, if the record was merged: it is kept as it was until that is taken back."""
    if patient.status == Status.MERGED:
        into = str(patient.merged_into_id)
        raise Conflict(
            "This record was merged into another one; open that one instead.", mergedInto=into
        )


def refuse_stale(patient: Patient, expected_version: int | None) -> None:
    """StaleVersion, with `version`, if the record is not at the version that somebody looked at."""
    if expected_version is not None and patient.version != expected_version:
        raise StaleVersion(
            "Someone else changed this patient meanwhile. Look at the newest version, then change it again.",
            version=patient.version,
        )


def apply_changes(patient: Patient, changes: Details) -> None:
    """For writers, on a locked patient: write what differs, and show what the database's trigger made of it."""
    if different := _set(patient, changes):
        patient.save(update_fields=different)
    if "identifiers" in changes:
        replace_identifiers([(patient, changes)])
    patient.refresh_from_db()


def _set(patient: Patient, changes: Details) -> list[str]:
    """Put the changes into the record in memory; the names of the columns that differ."""
    columns = _columns(changes)
    if "phone" in columns or "country" in columns:
        number, country = (
            columns.get("phone", patient.phone),
            columns.get("country", patient.country),
        )
        columns["phone_e164"] = e164(number, country)
    different = [name for name, value in columns.items() if getattr(patient, name) != value]
    for name in different:
        setattr(patient, name, columns[name])
    _still_a_person(patient)
    return different


def _still_a_person(patient: Patient) -> None:
    if not (patient.family_name or patient.given_name):
        raise InvalidInput(
            errors=[FieldProblem("family_name", "required", "Enter a family name or a given name.")]
        )
    if (
        patient.deceased_on
        and patient.date_of_birth
        and patient.deceased_on < patient.date_of_birth
    ):
        words = "The date of death is before the date of birth."
        raise InvalidInput(errors=[FieldProblem("deceased_on", "before-birth", words)])


def _new(details: Details, source: str) -> Patient:
    """Registered today by the clinic's clock, where nothing else is said; the database's default is the day in UTC."""
    return Patient(**{"registered_on": timezone.localdate()} | _columns(details), source=source)


def _columns(details: Details) -> dict[str, Any]:
    """What goes into the patient's row; a patient always has a day of registration."""
    return {
        name: value
        for name, value in details.items()
        if name != "identifiers" and not (name == "registered_on" and value is None)
    }
