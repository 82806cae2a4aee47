"""A user's decisions on rows in doubt, put in the place of what the rules would do."""

from typing import Any
from uuid import UUID

from portal.imports.matching.decision import (
    Decision,
    has_value,
    new_patient,
    refuse,
    refuse_nameless,
)
from portal.imports.matching.diff import changes_for
from portal.imports.matching.lookup import ExistingPatients, KnownPatient
from portal.imports.matching.row import CheckedRow, with_keys
from portal.imports.models import Choice, Doubt, ImportQuestion, Outcome
from portal.imports.readers import Problem
from portal.patients.matching.rules import IdentifierKey
from portal.patients.models import Status

READ_AHEAD = 1_000  # Row decisions that one query fetches.
_END_OF_FILE = 2**63  # No row has this number.


class RowDecisions:
    """The choices of a dry run, read ahead while the import goes through the rows.

    It is a RowDecider.
    """

    def __init__(self, dry_run_id: UUID) -> None:
        self.dry_run_id = dry_run_id
        self.begin, self.end = 0, 0  # The rows that were read ahead: from `begin` to before `end`.
        self.chosen: dict[int, ImportQuestion] = {}

    def __call__(self, decision: Decision, row: CheckedRow, existing: ExistingPatients) -> Decision:
        """Returns what the user chose; the rules decide if the question has changed since."""
        question = self._choice_for(row.number)
        if question is None or not _is_same_question(question, decision):
            return decision
        if question.choice == Choice.SKIP:
            return refuse(row.source, [Problem("", "", "It was left out in the review.")])
        if question.choice == Choice.NEW:
            return _plan_new(row, existing, decision, reason=question.reason)
        if question.choice == Choice.KEEP:
            return decision
        patient = existing.patients.get(question.patient_id or decision.patient_ids[0])
        if patient is None or patient.id not in decision.patient_ids:
            return decision
        if patient.status != Status.ACTIVE:
            return decision
        if question.choice == Choice.FILL:
            return _plan_fill(row, patient, existing, held_back=decision.held_back)
        return _plan_update(row, patient, existing)

    def _choice_for(self, row: int) -> ImportQuestion | None:
        if not self.begin <= row < self.end:
            self._read_ahead(row)
        return self.chosen.get(row)

    def _read_ahead(self, row: int) -> None:
        chosen = ImportQuestion.objects.filter(job=self.dry_run_id, row_number__gte=row)
        questions = list(chosen.exclude(choice="").order_by("row_number")[:READ_AHEAD])
        is_full = len(questions) == READ_AHEAD
        self.begin, self.end = row, questions[-1].row_number + 1 if is_full else _END_OF_FILE
        self.chosen = {question.row_number: question for question in questions}


def _is_same_question(question: ImportQuestion, decision: Decision) -> bool:
    """Tells whether the user has seen all matches: one that came later was not looked at."""
    seen = {match["who"] for match in question.alike}
    return question.doubt == decision.doubt and {match.key for match in decision.matches} <= seen


def _plan_new(
    row: CheckedRow, existing: ExistingPatients, decision: Decision, *, reason: str
) -> Decision:
    """Decides on a patient of its own, without the identifiers that others hold."""
    own = _without(row, {pair for pair in row.identifiers if existing.holders.get(pair)})
    if not own.has_name:
        return refuse_nameless(own)
    is_duplicate = decision.doubt in (Doubt.SAME_NAME_AND_BIRTH, Doubt.POSSIBLE_DUPLICATE)
    patient_ids = decision.patient_ids if is_duplicate else ()
    new = new_patient(own)
    return new._replace(patient_ids=patient_ids, matches=decision.matches, reason=reason)


def _plan_update(row: CheckedRow, patient: KnownPatient, existing: ExistingPatients) -> Decision:
    """Decides to change this patient, who gets no identifier that another one holds."""
    return _plan_change(row, patient, _changes_of_own(row, patient, existing))


def _plan_fill(
    row: CheckedRow,
    patient: KnownPatient,
    existing: ExistingPatients,
    *,
    held_back: dict[str, Any],
) -> Decision:
    """Decides to add what the patient lacks, unless a user set it aside."""
    changes = {
        name: value
        for name, value in _changes_of_own(row, patient, existing).items()
        if not has_value(patient, name) and name not in held_back
    }
    return _plan_change(row, patient, changes)._replace(held_back=held_back)


def _changes_of_own(
    row: CheckedRow, patient: KnownPatient, existing: ExistingPatients
) -> dict[str, Any]:
    others = {pair for pair in row.identifiers if existing.holders.get(pair, set()) - {patient.id}}
    return changes_for(_without(row, others), patient)


def _plan_change(row: CheckedRow, patient: KnownPatient, changes: dict[str, Any]) -> Decision:
    outcome = Outcome.UPDATED if changes else Outcome.UNCHANGED
    return Decision(row.source, outcome, patient.id, changes)


def _without(row: CheckedRow, identifiers: set[IdentifierKey]) -> CheckedRow:
    """Returns the row without these identifiers."""
    details = dict(row.details)
    if identifiers:
        details["identifiers"] = [
            identifier
            for identifier in details["identifiers"]
            if (identifier["system"], identifier["value"]) not in identifiers
        ]
    return with_keys(row.source, details, row.left_out)
