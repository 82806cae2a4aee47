"""What became of each row of a file: what it wrote, or why it was refused."""

from django.db import models

from portal.imports.models.choices import Outcome, RemarkKind, UndoResult
from portal.imports.models.job import ImportJob


class ImportedRow(models.Model):
    """What one row did to which patient.

    It finds a person who comes twice in a file, and lets an import be undone. The log has what a
    patient was before, but no identifiers, so those that the row added are kept here.
    """

    job = models.ForeignKey(ImportJob, on_delete=models.CASCADE, related_name="imported_rows")
    row_number = models.BigIntegerField()
    patient_id = models.UUIDField()
    outcome = models.CharField(max_length=9, choices=Outcome)
    identifiers_added = models.JSONField(
        default=list,
        help_text="[system, value] of each; with its days before, if it had others",
    )
    undo = models.CharField(max_length=8, choices=UndoResult, blank=True)

    class Meta:
        ordering = ["job", "row_number"]
        default_permissions = ()
        indexes = [models.Index(fields=["job", "patient_id"], name="imported_row_by_patient")]
        constraints = [
            models.UniqueConstraint(fields=["job", "row_number"], name="one_outcome_per_row")
        ]

    def __str__(self) -> str:
        return f"row {self.row_number} of import {self.job_id}"


class ImportReject(models.Model):
    """A row that was refused.

    `column`, `value` and `reason` are those of the first problem; `problems` has all of them.
    """

    job = models.ForeignKey(ImportJob, on_delete=models.CASCADE, related_name="rejects")
    row_number = models.BigIntegerField()
    column = models.CharField(max_length=200, blank=True)
    value = models.TextField(blank=True)
    reason = models.TextField()
    problems = models.JSONField(default=list, help_text="A list of {column, value, reason}")
    raw = models.JSONField(default=list, help_text="The row as it was typed, cell by cell")

    class Meta:
        ordering = ["job", "row_number"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["job", "row_number"], name="one_reject_per_row")
        ]

    def __str__(self) -> str:
        return f"row {self.row_number} of import {self.job_id}"


class ImportRemark(models.Model):
    """What is to be said of a row that came in: a value that it overwrote, or one that was not
    taken over.

    `field` is a patient's field, or the file's column of what was left out. A dry run has what the
    import would do.
    """

    job = models.ForeignKey(ImportJob, on_delete=models.CASCADE, related_name="remarks")
    row_number = models.BigIntegerField()
    kind = models.CharField(max_length=9, choices=RemarkKind)
    patient_id = models.UUIDField(null=True, help_text="A patient who was on record before")
    patient_label = models.CharField(max_length=60, blank=True)
    field = models.CharField(max_length=200)
    old = models.TextField(blank=True)
    new = models.TextField(blank=True)
    reason = models.TextField(blank=True)

    class Meta:
        ordering = ["job", "row_number", "id"]
        default_permissions = ()
        indexes = [models.Index(fields=["job", "row_number"], name="import_remark_by_row")]

    def __str__(self) -> str:
        return f"row {self.row_number} of import {self.job_id}"
