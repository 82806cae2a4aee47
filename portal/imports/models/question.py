"""Rows of a dry run that a user may decide about."""

from django.conf import settings
from django.db import models

from portal.imports.models.choices import Choice, Doubt
from portal.imports.models.job import ImportJob


class ImportQuestion(models.Model):
    """A row of a dry run that a user may decide about.

    Without a choice it is imported, or refused, as the dry run says. `patient_id` is the patient to
    update where there are several.
    """

    job = models.ForeignKey(ImportJob, on_delete=models.CASCADE, related_name="questions")
    row_number = models.BigIntegerField()
    doubt = models.CharField(max_length=9, choices=Doubt)
    people = models.JSONField(default=list, help_text="The ids of the patients whom it is about")
    alike = models.JSONField(
        default=list, help_text="Who may be the person: {who, label, grade, reasons}"
    )
    details = models.JSONField(default=dict, help_text="What the row says")
    choice = models.CharField(max_length=6, choices=Choice, blank=True)
    patient_id = models.UUIDField(null=True, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    chosen_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    chosen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["job", "row_number"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["job", "row_number"], name="one_question_per_row")
        ]

    def __str__(self) -> str:
        return f"row {self.row_number} of import {self.job_id}"
