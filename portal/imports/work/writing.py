"""Carries decisions out: patients through their bulk doors, and a line for each row in the job's book."""

from collections.abc import Iterable, Sequence
from uuid import UUID

import pghistory

from portal.accounts.models import User
from portal.imports.matching.candidates import Candidate
from portal.imports.matching.deciding import Decision
from portal.imports.matching.known import Known, people_in_database
from portal.imports.models import ImportedRow, ImportJob, Outcome
from portal.patients.models import Source
from portal.patients.services import change_patients, register_patients


class Writing:
    """The patients themselves. Every change carries the job's id in the log, so that an import can be traced."""

    def __init__(self, job: ImportJob, by: User | None) -> None:
        self.job, self.by = job, by

    def people_of(self, candidates: Sequence[Candidate]) -> Known:
        """See Memory."""
        return people_in_database(candidates)

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
            ImportedRow(job=self.job, row_number=one.row.number, patient_id=patient_id, outcome=one.outcome)
            for one in decisions
            if (patient_id := made.get(one.row.number, one.patient_id))
        )

    def close(self) -> None:
        """Nothing is held open."""
