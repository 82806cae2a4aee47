"""Carries decisions out: patients through their bulk doors, and a line for each row in the job's book."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import pghistory

from portal.accounts.models import User
from portal.duplicates.worklist import save_pairs
from portal.imports.matching.decision import Decision
from portal.imports.matching.lookup import ExistingPatients, find_existing_patients
from portal.imports.matching.row import CheckedRow
from portal.imports.models import ImportedRow, ImportJob, Outcome
from portal.patients.matching.lookup import lock_people
from portal.patients.matching.rules import IdentifierKey
from portal.patients.models import Source
from portal.patients.services import change_patients, register_patients


class ApplyRun:
    """The patients themselves. Every change carries the job's id in the log, so that an import can be traced."""

    def __init__(self, job: ImportJob, by: User | None) -> None:
        self.job, self.by = job, by
        self.known = ExistingPatients()

    def find_patients(self, candidates: Sequence[CheckedRow]) -> ExistingPatients:
        """See Memory. From here until the batch is written no other door registers or changes these people."""
        lock_people(one.person for one in candidates if one.person[0])
        self.known = find_existing_patients(candidates, to_change=True)
        return self.known

    def earlier_rows(self, patient_ids: Iterable[UUID]) -> dict[UUID, int]:
        """See Memory."""
        rows = ImportedRow.objects.filter(job=self.job, patient_id__in=list(patient_ids)).order_by(
            "-row_number"
        )
        return dict(rows.values_list("patient_id", "row_number"))

    def write(self, decisions: Sequence[Decision]) -> None:
        """All of them in the caller's transaction, or an error and nothing."""
        new = [one for one in decisions if one.outcome == Outcome.NEW and not one.reason]
        decided = [one for one in decisions if one.outcome == Outcome.NEW and one.reason]
        changed = [
            (one.patient_id, one.details)
            for one in decisions
            if one.outcome == Outcome.UPDATED and one.patient_id
        ]
        with self._told():
            self._register(new)
            if changed:
                change_patients(changed, by=self.by, source=Source.IMPORT)
        for one in decided:
            with self._told(
                **_set_aside(one)
            ):  # A context of its own: what an inner one says stays in the outer one.
                self._register([one])
        _list_pairs(decisions)
        ImportedRow.objects.bulk_create(
            ImportedRow(
                job=self.job,
                row_number=one.row.number,
                patient_id=one.patient_id,
                outcome=one.outcome,
                identifiers_added=self._added(one),
            )
            for one in decisions
            if one.patient_id
        )

    def _told(self, **more: Any) -> pghistory.context:
        return pghistory.context(import_job=str(self.job.pk), **more)

    def _register(self, new: Sequence[Decision]) -> None:
        if new:
            people = [{"id": one.patient_id, **one.details} for one in new]
            register_patients(people, by=self.by, source=Source.IMPORT)

    def _added(self, decision: Decision) -> list[IdentifierKey]:
        """The identifiers that a known patient has got by this row; a new one keeps its own, even when archived."""
        if decision.outcome != Outcome.UPDATED or not decision.patient_id:
            return []
        wanted = {(one["system"], one["value"]) for one in decision.details.get("identifiers", [])}
        return sorted(wanted - self.known.people[decision.patient_id].identifiers)

    def close(self) -> None:
        """Nothing is held open."""


def _list_pairs(decisions: Sequence[Decision]) -> None:
    """Put who was registered beside somebody alike on the list; where a person gave a reason, the pair is set apart."""
    pairs = [
        (min((new.patient_id, one.id), (one.id, new.patient_id)), one.match)
        for new in decisions
        if new.outcome == Outcome.NEW and new.patient_id
        for one in new.alike
    ]
    if pairs:
        save_pairs(pairs)


def _set_aside(decision: Decision) -> dict[str, Any]:
    """What registration at the desk puts into the log where somebody said that this is another person."""
    others = [one.id for one in decision.alike] or decision.people
    return {"duplicate_reason": decision.reason} | (
        {"similar": [str(one) for one in others]} if others else {}
    )
