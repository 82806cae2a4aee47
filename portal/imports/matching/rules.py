"""The rules by which an import decides about each row of a batch."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol
from uuid import UUID

from portal.imports.matching.decision import (
    Decision,
    clinic_day,
    has_value,
    new_patient,
    refuse,
    refuse_nameless,
    refuse_whole,
)
from portal.imports.matching.diff import changes_for, reasons_for_another_person
from portal.imports.matching.lookup import ExistingPatients, KnownPatient, reason_to_hold_back
from portal.imports.matching.remarks import remarks_on
from portal.imports.matching.row import CheckedRow, ReadRow, valid_rows
from portal.imports.matching.set_aside import SetAside, split_changes
from portal.imports.models import Doubt, Outcome
from portal.patients.matching.rules import has_exact_birth
from portal.patients.models import Status

# What to do about a row whose patient takes no changes in this status.
_ADVICE = {
    Status.ARCHIVED: "Restore the patient first.",
    Status.MERGED: "Open that record to see which one stands for the person, and use its MRN.",
}
_SAME_NAME_NO_BIRTH = "this name, and neither has a date of birth that tells them apart"

_INACTIVE = (
    "The source does not use this record any more (active: false, or archived), and so nothing of "
    "it was taken."
)


class PatientLookup(Protocol):
    """What an import needs to know of the patients, and of its own earlier rows."""

    def find_patients(self, rows: Sequence[CheckedRow]) -> ExistingPatients:
        """Returns the patients that these rows may be about."""

    def earlier_rows(self, patient_ids: Iterable[UUID]) -> dict[UUID, int]:
        """Returns the rows of this import that were about these patients already."""


RowDecider = Callable[[Decision, CheckedRow, ExistingPatients], Decision]


def keep_decision(decision: Decision, _row: CheckedRow, _existing: ExistingPatients) -> Decision:
    """Returns the decision of the rules: there was no review."""
    return decision


@dataclass(frozen=True)
class ImportOptions:
    """What an import does where the rules leave a choice.

    `holds_back` refuses new people who may be registered already. `decide_row` has the last word on
    a decision that is in doubt.
    """

    allow_duplicates: bool
    holds_back: bool = False
    decide_row: RowDecider = keep_decision


def decide(
    rows: Sequence[ReadRow], *, lookup: PatientLookup, options: ImportOptions
) -> list[Decision]:
    """Returns a decision for each row in order, up to the first row that has to wait.

    A row waits if it depends on one before it which is not written yet. That row and the ones
    after it belong into the next batch; the first row never waits.
    """
    existing = lookup.find_patients(valid_rows(rows))
    rules = DecisionRules(existing, lookup.earlier_rows(existing.patients), options)
    decisions: list[Decision] = []
    seen: dict[object, tuple[CheckedRow, Decision]] = {}
    for read in rows:
        row = read.checked
        if row is None:
            decisions.append(refuse(read.row, list(read.problems)))
            continue
        keys: set[object] = {*row.identifiers, *existing.holders_of(row)}
        if row.person_key[0]:
            keys.add(row.person_key)
        earlier = next((seen[key] for key in keys if key in seen), None)
        if earlier is None:
            decision = rules.decide(row)
            seen.update(dict.fromkeys(keys, (row, decision)))
        elif _says_the_same(earlier[0], row):
            decision = rules.repeat(earlier[1], row)
        else:
            break
        decisions.append(decision)
    return decisions


def _says_the_same(earlier: CheckedRow, row: CheckedRow) -> bool:
    is_same_status = earlier.source.is_archived == row.source.is_archived
    return is_same_status and earlier.details == row.details


@dataclass(frozen=True)
class DecisionRules:
    """The rules of one batch. `earlier` are the rows of this import about the same patients."""

    existing: ExistingPatients
    earlier: dict[UUID, int]
    options: ImportOptions
    today: date = field(default_factory=clinic_day)

    def decide(self, row: CheckedRow) -> Decision:
        """Returns what becomes of this row, and remembers a new patient for the rows after it."""
        decision = self._decide_by_identifiers(row)
        if decision.doubt:
            decision = self.options.decide_row(decision, row, self.existing)
        if decision.outcome == Outcome.NEW and row.source.is_archived:
            archived = decision.details | {"status": Status.ARCHIVED}
            decision = decision._replace(details=archived, matches=())
        if remarks := remarks_on(decision, row, self.existing):
            decision = decision._replace(remarks=remarks)
        if row.source.is_archived:
            return decision
        if decision.outcome == Outcome.NEW and decision.patient_id:
            new = decision.details
            self.existing.add_new(decision.patient_id, row.number, new, row.compared_fields)
        return decision

    def repeat(self, first: Decision, row: CheckedRow) -> Decision:
        """Returns what becomes of a row that says the same as one of its batch.

        It is what the rules say of it in a later batch: where a batch ends makes no difference.
        """
        if first.outcome == Outcome.REJECTED:
            return first._replace(row=row.source)
        decision = Decision(
            row.source, Outcome.DUPLICATE, first.patient_id, held_back=first.held_back
        )
        return decision._replace(remarks=remarks_on(decision, row, self.existing))

    def _decide_by_identifiers(self, row: CheckedRow) -> Decision:
        holders = self.existing.holders_of(row)
        patients = [self.existing.patients[patient_id] for patient_id in holders]
        if not patients:
            return self._decide_unknown(row)
        if len(patients) == 1:
            return self._decide_known(row, patients[0])
        labels = " and ".join(sorted(patient.label for patient in patients))
        reason = f"Its identifiers belong to different patients: {labels}."
        return refuse_whole(row, reason, Doubt.CONFLICT, *sorted(holders))

    def _decide_known(self, row: CheckedRow, patient: KnownPatient) -> Decision:
        if reasons := reasons_for_another_person(row, patient):
            reason = (
                f"Its identifier belongs to {patient.label}, who differs ({', '.join(reasons)}). "
                "Correct the identifier, or decide about the row in the review of a trial."
            )
            return refuse_whole(row, reason, Doubt.DIFFERENT_PERSON, patient.id)
        if row.source.is_archived and patient.status == Status.ACTIVE:
            return refuse_whole(row, f"This is {patient.label}, who is active. {_INACTIVE}")
        set_aside = self.existing.set_aside.get(patient.id, SetAside())
        changes, held_back = split_changes(
            changes_for(row, patient),
            set_aside,
            held=patient.identifiers,
            country=patient.values["country"],
        )
        decision = self._plan_change(row, patient, changes)
        if held_back and decision.outcome != Outcome.REJECTED:
            decision = decision._replace(
                patient_id=patient.id,
                held_back=held_back,
                doubt=Doubt.SET_ASIDE,
                patient_ids=(patient.id,),
            )
        return decision

    def _plan_change(
        self, row: CheckedRow, patient: KnownPatient, changes: dict[str, Any]
    ) -> Decision:
        if patient.was_archived_by_undo and not row.source.is_archived:
            return self._plan_restore(row, patient, changes)
        if not changes:
            outcome = Outcome.DUPLICATE if patient.id in self.earlier else Outcome.UNCHANGED
            return Decision(row.source, outcome, patient.id)
        if patient.status != Status.ACTIVE:
            advice = _ADVICE[Status(patient.status)]
            return refuse_whole(row, f"This is {patient.label}, who is {patient.status}. {advice}")
        overwritten = [name for name in changes if has_value(patient, name)]
        if overwritten and patient.id in self.earlier:
            number = self.earlier[patient.id]
            reason = f"Row {number} of this file has another value for the same patient."
            return refuse(row.source, [row.source.problem(name, reason) for name in overwritten])
        return Decision(
            row.source,
            Outcome.UPDATED,
            patient.id,
            changes,
            doubt=Doubt.OVERWRITE if overwritten else "",
            patient_ids=(patient.id,),
        )

    def _decide_unknown(self, row: CheckedRow) -> Decision:
        if not row.has_name:
            return refuse_nameless(row)
        active, undone = self._namesakes(row)
        for patient in active + undone:
            if not changes_for(row, patient):
                return self._decide_known(row, patient)
        return self._refuse_namesake(row, active) or self._plan_new(row)

    def _plan_new(self, row: CheckedRow) -> Decision:
        """Decides on a new patient, unless rows that may be a recorded one are held back."""
        matches = self.existing.possible_matches(row, self.earlier)
        new = new_patient(row, today=self.today)
        if not matches or self.options.allow_duplicates:
            return new._replace(matches=matches) if matches else new
        recorded = tuple(match.id for match in matches if match.id not in self.existing.new_in_row)
        if self.options.holds_back:
            reason = reason_to_hold_back(matches)
            refusal = refuse_whole(row, reason, Doubt.POSSIBLE_DUPLICATE, *recorded)
            return refusal._replace(matches=matches)
        doubt = Doubt.POSSIBLE_DUPLICATE
        return new._replace(matches=matches, doubt=doubt, patient_ids=recorded)

    def _plan_restore(
        self, row: CheckedRow, patient: KnownPatient, changes: dict[str, Any]
    ) -> Decision:
        """Decides to restore a patient whom an undo archived, instead of making a second."""
        active, _ = self._namesakes(row)
        restored = changes | {"status": Status.ACTIVE}
        return self._refuse_namesake(row, active) or Decision(
            row.source, Outcome.UPDATED, patient.id, restored
        )

    def _namesakes(self, row: CheckedRow) -> tuple[list[KnownPatient], list[KnownPatient]]:
        """Returns the patients of the same name and date of birth: the active ones, and those
        archived by an undone import.
        """
        ids = self.existing.namesakes.get(row.person_key, [])
        namesakes = [self.existing.patients[patient_id] for patient_id in ids]
        active = [patient for patient in namesakes if not patient.was_archived_by_undo]
        return active, [patient for patient in namesakes if patient.was_archived_by_undo]

    def _refuse_namesake(self, row: CheckedRow, active: list[KnownPatient]) -> Decision | None:
        """Refuses a row with the name and date of birth of one of these patients.

        None if duplicates are allowed, if there are no such patients, or if only the year or the
        month of birth is known: many share those, so the row is registered and listed.
        """
        is_vague = row.person_key[1] is not None and not has_exact_birth(row.person_key)
        if not active or is_vague or self.options.allow_duplicates:
            return None
        known = "this name and date of birth" if row.person_key[1] else _SAME_NAME_NO_BIRTH
        advice = "Update that patient, or allow this row as another person."
        reason = f"{active[0].label} has {known}. {advice}"
        return Decision(
            row.source,
            Outcome.REJECTED,
            problems=[row.source.problem("family_name", reason)],
            doubt=Doubt.SAME_NAME_AND_BIRTH,
            patient_ids=tuple(patient.id for patient in active),
        )
