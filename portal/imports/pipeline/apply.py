"""Carries decisions out: writes the patients, and a line for each row that was about one."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import pghistory

from portal.accounts.models import User
from portal.bulk_insert import insert_rows
from portal.duplicates.worklist import save_pairs
from portal.imports.matching.decision import Decision
from portal.imports.matching.diff import moved_identifiers
from portal.imports.matching.lookup import (
    ExistingPatients,
    find_existing_patients,
    label_of_row,
)
from portal.imports.matching.row import CheckedRow
from portal.imports.models import ImportedRow, ImportJob, Outcome
from portal.patients.matching.refusal import lock_people
from portal.patients.matching.rules import identifier_keys
from portal.patients.models import Source, Status
from portal.patients.services import change_patients, insert_patients


class ApplyRun:
    """Writes to the patients. Every change carries the job's id in the log, to trace the import."""

    def __init__(self, job: ImportJob, by: User | None) -> None:
        self.job, self.by = job, by
        self.existing = ExistingPatients()

    def find_patients(self, rows: Sequence[CheckedRow]) -> ExistingPatients:
        """See PatientLookup.

        Until the batch is written, no other channel registers or changes these people.
        """
        lock_people(row.person_key for row in rows if row.person_key[0])
        self.existing = find_existing_patients(rows, to_change=True)
        self._know_by_row()
        return self.existing

    def _know_by_row(self) -> None:
        """Knows the patients whom earlier rows made by those rows alone, as a trial does."""
        made = ImportedRow.objects.filter(
            job=self.job, outcome=Outcome.NEW, patient_id__in=self.existing.patients
        )
        for patient_id, row_number in made.values_list("patient_id", "row_number"):
            self.existing.patients[patient_id].label = label_of_row(row_number)
            self.existing.forget_own_keys(patient_id)

    def earlier_rows(self, patient_ids: Iterable[UUID]) -> dict[UUID, int]:
        """See PatientLookup."""
        rows = ImportedRow.objects.filter(job=self.job, patient_id__in=list(patient_ids))
        # The first row about a patient comes last, and so it is the one that the dict keeps.
        return dict(rows.order_by("-row_number").values_list("patient_id", "row_number"))

    def write(self, decisions: Sequence[Decision]) -> None:
        """Writes all of them in the caller's transaction, or raises and writes nothing."""
        new = [decision for decision in decisions if decision.outcome == Outcome.NEW]
        with self._log_context():
            self._register([decision for decision in new if not decision.reason])
            self._change(decisions)
        for decision in new:
            if decision.reason:
                # A context of its own: what an inner one adds stays in the outer one.
                with self._log_context(**_override(decision)):
                    self._register([decision])
        _list_possible_duplicates(new)
        insert_rows(
            ImportedRow,
            ("job", "row_number", "patient_id", "outcome", "identifiers_added", "undo"),
            [
                (
                    self.job.pk,
                    decision.row.number,
                    decision.patient_id,
                    decision.outcome,
                    self._changed_identifiers(decision),
                    "",
                )
                for decision in decisions
                if decision.patient_id
            ],
        )

    def close(self) -> None:
        """Does nothing: no resource is held."""

    def _log_context(self, **more: Any) -> pghistory.context:
        return pghistory.context(import_job=str(self.job.pk), **more)

    def _register(self, new: Sequence[Decision]) -> None:
        if new:
            people = [{"id": decision.patient_id, **decision.details} for decision in new]
            # Registered and archived, as by hand: so every client learns of both.
            archived = [
                (person["id"], {"status": Status.ARCHIVED})
                for person in people
                if person.pop("status", Status.ACTIVE) == Status.ARCHIVED
            ]
            insert_patients(people, by=self.by, source=Source.IMPORT)
            if archived:
                change_patients(archived, by=self.by, source=Source.IMPORT)

    def _change(self, decisions: Sequence[Decision]) -> None:
        changes = [
            (decision.patient_id, decision.details)
            for decision in decisions
            if decision.outcome == Outcome.UPDATED and decision.patient_id
        ]
        if changes:
            change_patients(changes, by=self.by, source=Source.IMPORT)

    def _changed_identifiers(self, decision: Decision) -> list[list[str | None]]:
        """Returns the identifiers that a known patient got by this row: system and value.

        One that got other days by it has the days from before behind them. A new patient keeps its
        own, even when an undo archives it.
        """
        if decision.outcome != Outcome.UPDATED or not decision.patient_id:
            return []
        patient = self.existing.patients[decision.patient_id]
        added = sorted(identifier_keys(decision.details) - patient.identifiers.keys())
        changed: list[list[str | None]] = [[system, value] for system, value in added]
        for system, value in moved_identifiers(decision.details, patient):
            days = patient.identifiers[system, value]
            changed.append([system, value, *(str(day) if day else None for day in days)])
        return changed


def _list_possible_duplicates(new: Sequence[Decision]) -> None:
    """Lists each new patient beside those it may be.

    Where a user gave an override reason, the pair is listed as dismissed.
    """
    pairs = []
    for decision in new:
        for match in decision.matches:
            if decision.patient_id:
                pair = (decision.patient_id, match.id)
                pairs.append(((min(pair), max(pair)), match.match))
    if pairs:
        save_pairs(pairs)


def _override(decision: Decision) -> dict[str, Any]:
    """Returns what registration by staff puts into the log with an override reason."""
    others = [match.id for match in decision.matches] or decision.patient_ids
    context: dict[str, Any] = {"duplicate_reason": decision.reason}
    if others:
        context["similar"] = [str(patient_id) for patient_id in others]
    return context
