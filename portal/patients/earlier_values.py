"""Values that earlier versions stored, and that today's checks would not store so.

Identifiers that prove nothing (000-00-0000), and texts with characters that nobody sees. They do no
harm: nobody is found to be the same person by such an identifier. `manage.py clean_patients` takes
them out; the history of each record keeps what it was.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from portal.errors import InvalidInput, PortalError, StaleVersion
from portal.patients.entered_identifiers import VALIDITY
from portal.patients.fields import ENTERED_FIELDS, Kind
from portal.patients.models import Patient, PatientIdentifier, Source, Status
from portal.patients.reference.identifier_proof import why_it_proves_nothing
from portal.patients.services import change_patient
from portal.patients.validation import validate_details
from portal.text import clean_text

CHUNK = 2_000  # Rows in memory at once.
_TEXTS = [column.name for column in ENTERED_FIELDS if column.kind not in (Kind.DATE, Kind.CHOICE)]
_IDENTIFIER_COLUMNS = ("system", "value", *VALIDITY)


@dataclass
class Cleaning:
    """What was found, by kind, and what a person has to decide: the MRN, and why.

    `changed` counts the records that were changed meanwhile: run the command again for those.
    """

    found: Counter[str] = field(default_factory=Counter)
    cleaned: int = 0
    changed: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)


def clean_patients(*, writes: bool) -> Cleaning:
    """Looks through all records that are not merged, and cleans them if it `writes`.

    Each record is one change, by the service that every channel uses. A merged record is read-only,
    and its identifiers are those of its survivor. A second time it changes nothing.
    """
    cleaning = Cleaning()
    for patient_id in _uncleaned_ids():
        patient = Patient.objects.prefetch_related("identifiers").filter(pk=patient_id).first()
        if patient is None or patient.status == Status.MERGED:
            continue
        changes = _changes(patient, cleaning.found)
        if writes and changes:
            _clean(patient, changes, cleaning)
    return cleaning


def _clean(patient: Patient, changes: dict[str, Any], cleaning: Cleaning) -> None:
    try:
        change_patient(
            patient.pk, changes, by=None, source=Source.COMMAND, expected_version=patient.version
        )
        cleaning.cleaned += 1
    except StaleVersion:
        cleaning.changed += 1
    except PortalError as error:
        detail = error.errors[0].detail if error.errors else error.detail
        cleaning.refused.append((patient.mrn, detail))


def _uncleaned_ids() -> Iterator[UUID]:
    """Yields each patient with a value to clean once; those of identifiers first."""
    seen = set()
    identifiers = PatientIdentifier.objects.order_by("pk").values_list("patient", "system", "value")
    for patient_id, system, value in identifiers.iterator(CHUNK):
        if patient_id not in seen and _cleaned_identifier(system, value) != (system, value):
            seen.add(patient_id)
            yield patient_id
    patients = Patient.objects.order_by("pk").values_list("pk", *_TEXTS)
    for patient_id, *texts in patients.iterator(CHUNK):
        if patient_id not in seen and any(text != clean_text(text) for text in texts):
            yield patient_id


def _changes(patient: Patient, found: Counter[str]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for name in _TEXTS:
        text = clean_text(getattr(patient, name))
        if text != getattr(patient, name):
            changes[name] = text
            found["texts with invisible characters"] += 1
    stored = {
        (row.system, row.value): {name: getattr(row, name) for name in _IDENTIFIER_COLUMNS}
        for row in patient.identifiers.all()
    }
    kept: dict[tuple[str, str], dict[str, Any]] = {}
    moved: defaultdict[str, int] = defaultdict(int)
    for (system, value), row in stored.items():
        key = _cleaned_identifier(system, value)
        if key is None:
            fault = why_it_proves_nothing(system, value)
            moved[f"identifiers that prove nothing ({fault.code if fault else 'empty'})"] += 1
            continue
        if key != (system, value):
            moved["identifiers written in another way today"] += 1
        kept.setdefault(key, {**row, "system": key[0], "value": key[1]})
    if moved:
        found.update(moved)
        changes["identifiers"] = list(kept.values())
    return changes


def _cleaned_identifier(system: str, value: str) -> tuple[str, str] | None:
    """Returns the identifier as it is stored today; None for one that proves nothing."""
    try:
        details = validate_details(
            {"identifiers": [{"system": system, "value": value}]}, partial=True
        )
    except InvalidInput:
        return None if why_it_proves_nothing(system, value) else (system, value)
    [identifier] = details["identifiers"]
    return identifier["system"], identifier["value"]
