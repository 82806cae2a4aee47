"""What is to be said of a row that came in: values it overwrote, and what it did not bring."""

from collections.abc import Iterator, Mapping
from typing import Any

from portal.imports.matching.decision import RESOURCE, Decision, Remark, has_value
from portal.imports.matching.lookup import ExistingPatients, KnownPatient
from portal.imports.matching.row import CheckedRow
from portal.imports.matching.set_aside import Validity, identifier_key, names_other_days
from portal.imports.models import Outcome, RemarkKind
from portal.imports.readers.rows import count_words
from portal.patients.entered_identifiers import VALIDITY
from portal.patients.reference.identifier_systems import system_name

SET_ASIDE_REASON = (
    "A person set this value aside in the record. It is not written again; a trial asks about it."
)
_NO_DAYS: Validity = (None, None)
_CHARACTERS_OF_DATE = {"year": 4, "month": 7, "day": 10}  # Of 1984-03-15, as far as it is known.


def remarks_on(
    decision: Decision, row: CheckedRow, existing: ExistingPatients
) -> tuple[Remark, ...]:
    """Returns what is to be said of a row that was decided, in the order of its fields."""
    patient = existing.patients.get(decision.patient_id) if decision.patient_id else None
    remarks: list[Remark] = []
    if patient and decision.outcome == Outcome.UPDATED:
        remarks += _overwritten_values(decision, patient, existing)
    if patient:
        remarks += _kept_values(decision, patient, existing)
    if decision.outcome != Outcome.REJECTED:
        for part in row.left_out:
            remarks.append(
                Remark(RemarkKind.LEFT_OUT, part.column, new=part.value, reason=part.reason)
            )
        for cell in row.source.merged:
            remarks.append(
                Remark(RemarkKind.MERGED, cell.column, new=cell.value, reason=cell.reason)
            )
    parts = row.source.parts_left_out
    if parts and decision.outcome != Outcome.REJECTED:
        reason = f"Left out: {count_words(parts)}"
        remarks.append(Remark(RemarkKind.LEFT_OUT, RESOURCE, reason=reason))
    return tuple(remarks)


def _overwritten_values(
    decision: Decision, patient: KnownPatient, existing: ExistingPatients
) -> Iterator[Remark]:
    new = patient.values | decision.details
    for name in decision.details:
        is_of_date = name == "date_of_birth_precision"  # It is told with the date itself.
        if name not in patient.values or is_of_date or not has_value(patient, name):
            continue
        old_text, new_text = _text(name, patient.values), _text(name, new)
        yield _remark(RemarkKind.OVERWRITTEN, name, old_text, new_text, patient, existing)
    for item in decision.details.get("identifiers", []):
        held = patient.identifiers.get(identifier_key(item), _NO_DAYS)
        if held != _NO_DAYS and names_other_days(item, held):
            old = {**item, **dict(zip(VALIDITY, held, strict=True))}
            texts = _identifier_text(old), _identifier_text(old | item)
            yield _remark(RemarkKind.OVERWRITTEN, "identifiers", *texts, patient, existing)


def _kept_values(
    decision: Decision, patient: KnownPatient, existing: ExistingPatients
) -> Iterator[Remark]:
    for name in decision.held_back:
        if name == "date_of_birth_precision":
            continue
        old_text = _text(name, patient.values) if name in patient.values else ""
        new_text = _text(name, decision.held_back)
        yield _remark(
            RemarkKind.KEPT, name, old_text, new_text, patient, existing, SET_ASIDE_REASON
        )


def _remark(
    kind: RemarkKind,
    name: str,
    old: str,
    new: str,
    patient: KnownPatient,
    existing: ExistingPatients,
    reason: str = "",
) -> Remark:
    is_on_record = patient.id in existing.recorded_ids
    patient_id = patient.id if is_on_record else None
    return Remark(kind, name, old, new, reason, patient_id, patient.label)


def _identifier_text(identifier: Mapping[str, Any]) -> str:
    days = [str(identifier.get(name) or "") for name in VALIDITY]
    validity = f" ({' to '.join(days).strip()})" if any(days) else ""
    return f"{system_name(identifier['system'])} {identifier['value']}{validity}"


def _text(name: str, values: dict[str, Any]) -> str:
    value = values.get(name)
    if isinstance(value, list):
        return ", ".join(map(_identifier_text, value))
    if name == "date_of_birth" and value:
        precision = values.get("date_of_birth_precision") or "day"
        return value.isoformat()[: _CHARACTERS_OF_DATE[precision]]
    return "" if value is None else str(value)
