"""What becomes of a row: a new patient, a change, nothing, or a refusal with its reason."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from django.utils import timezone
from uuid_utils.compat import uuid7

from portal.errors import InvalidInput
from portal.imports.matching.lookup import DATES, KnownPatient, PossibleMatch
from portal.imports.matching.row import CheckedRow, problems_from_error
from portal.imports.models import Outcome, RemarkKind
from portal.imports.readers import Problem, Row
from portal.patients.fields import ENTERED
from portal.patients.validation import validate_details

_BLANK: dict[str, Any] = {
    **{name: None if name in DATES else "" for name in ENTERED},
    "phone_e164": "",
    "sex": "unknown",
    "date_of_birth_precision": "day",
}
_NOTHING: dict[str, Any] = {}  # Shared by all decisions, and never changed.
RESOURCE = "resource"  # The field of a remark about parts of a row that no field stands for.


@dataclass(frozen=True)
class Remark:
    """One thing to be said of a row; see ImportRemark, which has the same fields."""

    kind: RemarkKind
    field: str
    old: str = ""
    new: str = ""
    reason: str = ""
    patient_id: UUID | None = None
    patient_label: str = ""


class Decision(NamedTuple):
    """What becomes of a row. `details` are those of a new patient, or the changes of a known one.

    `doubt` is the kind of question that a user may answer otherwise, about the recorded patients
    in `patient_ids`. `matches` are the patients who may be the new one; `reason` is the override
    reason that a user gave for registering it all the same. `held_back` are changes that would
    bring back what a user set aside: they are not written.
    """

    row: Row
    outcome: Outcome
    patient_id: UUID | None = None
    details: dict[str, Any] = _NOTHING
    problems: Sequence[Problem] = ()
    doubt: str = ""
    patient_ids: tuple[UUID, ...] = ()
    matches: tuple[PossibleMatch, ...] = ()
    reason: str = ""
    held_back: dict[str, Any] = _NOTHING
    remarks: tuple[Remark, ...] = ()

    @property
    def parts_left_out(self) -> Counter[str]:
        """Counts what the row has and the import leaves out, by kind; a refused row brings nothing.

        Values that were left out for a reason of their own count as values.
        """
        if self.outcome == Outcome.REJECTED:
            return Counter()
        own_reasons = [
            remark
            for remark in self.remarks
            if remark.kind == RemarkKind.LEFT_OUT and remark.field != RESOURCE
        ]
        return Counter(self.row.parts_left_out) + Counter({"value": len(own_reasons)})

    @property
    def is_unreviewed(self) -> bool:
        """Tells whether it makes a patient who may be registered already, unseen by any user."""
        return self.outcome == Outcome.NEW and bool(self.matches) and not self.reason


def new_patient(row: CheckedRow, *, today: date | None = None) -> Decision:
    """Returns the decision to register the row's person, `today` unless the row has a day.

    Its id is set before it is written, since later rows may match it.
    """
    details = {**_BLANK, "registered_on": today or clinic_day(), **row.details}
    return Decision(row.source, Outcome.NEW, uuid7(), details)


def clinic_day() -> date:
    """Returns today by the clinic's clock."""
    return timezone.localdate(timezone=timezone.get_default_timezone())


def has_value(patient: KnownPatient, name: str) -> bool:
    """Tells whether the patient has a value that a change of this field would take away."""
    return name != "identifiers" and patient.values.get(name) not in ("", None, "unknown")


def refuse(row: Row, problems: list[Problem]) -> Decision:
    """Returns the decision that the row stays out, for these reasons."""
    return Decision(row, Outcome.REJECTED, problems=problems)


def refuse_nameless(row: CheckedRow) -> Decision:
    """Refuses a row without a name in the words of the validation that every channel uses."""
    entered = {name: value for name, value in row.details.items() if name != "phone_e164"}
    try:
        validate_details(entered)
    except InvalidInput as error:
        return refuse(row.source, problems_from_error(row.source, error))
    raise AssertionError("A patient without a name passed the validation.")


def refuse_whole(row: CheckedRow, reason: str, doubt: str = "", *patient_ids: UUID) -> Decision:
    """Refuses the row as a whole, not for one of its columns."""
    problems = [Problem("", "", reason)]
    refusal = refuse(row.source, problems)
    return refusal._replace(doubt=doubt, patient_ids=patient_ids)
