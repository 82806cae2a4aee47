"""Carries decisions out: patients through their bulk doors, and a line for each row in the job's book."""

from collections.abc import Iterable, Sequence
from uuid import UUID

import pghistory

from portal.accounts.models import User
from portal.imports.matching.candidates import Candidate
from portal.imports.matching.deciding import Decision
from portal.imports.matching.known import Known, people_in_database
from portal.imports.models import ImportedRow, ImportJob, Outcome
from portal.patients.matching.duplicates import Pair
from portal.patients.matching.refusal import lock_people
from portal.patients.models import Source
from portal.patients.services import change_patients, register_patients


class Writing:
    """The patients themselves. Every change carries the job's id in the log, so that an import can be traced."""

    def __init__(self, job: ImportJob, by: User | None) -> None:
        self.job, self.by = job, by
        self.known = Known()

    def people_of(self, candidates: Sequence[Candidate]) -> Known:
        """See Memory. From here until the batch is written no other door registers or changes these people."""
        lock_people(one.person for one in candidates if one.person[0])
        self.known = people_in_database(candidates, to_change=True)
        return self.known

    def earlier_rows(self, patient_ids: Iterable[UUID]) -> dict[UUID, int]:
        """See Memory."""
        rows = ImportedRow.objects.filter(job=self.job, patient_id__in=list(patient_ids)).order_by("-row_number")
        return dict(rows.values_list("patient_id", "row_number"))

    def write(self, decisions: Sequence[Decision]) -> None:
        """All of them in the caller's transaction, or an error and nothing."""
        new = [one for one in decisions if one.outcome == Outcome.NEW]
        changed = [
            (one.patient_id, one.details) for one in decisions if one.outcome == Outcome.UPDATED and one.patient_id
        ]
        with pghistory.context(import_job=str(self.job.pk)):
            patients = register_patients([one.details for one in new], by=self.by, source=Source.IMPORT) if new else []
            if changed:
                change_patients(changed, by=self.by, source=Source.IMPORT)
        made = {one.row.number: patient.pk for one, patient in zip(new, patients, strict=True)}
        ImportedRow.objects.bulk_create(
            ImportedRow(
                job=self.job,
                row_number=one.row.number,
                patient_id=patient_id,
                outcome=one.outcome,
                identifiers_added=self._added(one),
            )
            for one in decisions
            if (patient_id := made.get(one.row.number, one.patient_id))
        )

    def _added(self, decision: Decision) -> list[Pair]:
        """The identifiers that a known patient has got by this row; a new one keeps its own, even when archived."""
        if decision.outcome != Outcome.UPDATED or not decision.patient_id:
            return []
        wanted = {(one["system"], one["value"]) for one in decision.details.get("identifiers", [])}
        return sorted(wanted - self.known.people[decision.patient_id].identifiers)

    def close(self) -> None:
        """Nothing is held open."""
