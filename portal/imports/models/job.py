"""The job of an import: one file, its settings, its progress and its counts."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from uuid_utils.compat import uuid7

from portal.imports.models.choices import (
    ENDED,
    TABLE_FORMATS,
    DuplicatePolicy,
    JobStatus,
    Outcome,
)


class ImportJobQuerySet(models.QuerySet["ImportJob"]):
    """Jobs, and those that a process may claim."""

    def free(self) -> "ImportJobQuerySet":
        """Returns the jobs without a process: new ones, and those whose process has ended."""
        unowned = models.Q(leased_until=None) | models.Q(leased_until__lt=timezone.now())
        return self.filter(unowned).exclude(status__in=[JobStatus.MAPPING, *ENDED])


class ImportJob(models.Model):
    """One file that is imported, or whose import is undone.

    Its counts change in the transaction that writes. A process owns a running job as long as
    `lease` is its own and `leased_until` is ahead.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    original_name = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64, db_index=True)
    size_bytes = models.BigIntegerField()
    file_format = models.CharField("format", max_length=10)
    header = models.JSONField(default=list)
    ignored_columns = models.JSONField(default=list)
    mapping = models.JSONField(
        default=list,
        help_text='The field that each column becomes, "" for none; empty if their names decide',
    )
    samples = models.JSONField(
        default=list, help_text="For each column its first values; kept as long as the file is"
    )
    values = models.JSONField(
        default=dict, help_text='What values mean, by field: {"sex": {"w": "female"}}'
    )
    date_order = models.CharField(
        max_length=3, blank=True, help_text="DMY or MDY, as a person chose it"
    )
    column_facts = models.JSONField(
        default=list, help_text="For each column: its values if few, orders of its dates"
    )
    first_rows = models.JSONField(
        default=list, help_text="The first rows of a dry run as understood; kept like the samples"
    )
    numeric_columns = models.JSONField(
        default=list, help_text="Positions of columns that hold numbers"
    )
    trial = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="runs"
    )
    dry_run = models.BooleanField(default=False)
    allow_duplicates = models.BooleanField(default=False)
    likely = models.CharField(
        max_length=8,
        choices=DuplicatePolicy,
        blank=True,
        help_text="People who may be registered already; empty holds them back",
    )
    encoding = models.CharField(
        max_length=20, blank=True, help_text="Of a CSV file, as a person chose it"
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    status = models.CharField(max_length=7, choices=JobStatus, default=JobStatus.WAITING)
    message = models.CharField(
        max_length=500, blank=True, help_text="Why it failed; holds no personal data"
    )
    last_row = models.BigIntegerField(
        default=0, help_text="The number of the last row that was dealt with"
    )
    bytes_done = models.BigIntegerField(default=0)
    new_count = models.BigIntegerField(default=0)
    updated_count = models.BigIntegerField(default=0)
    unchanged_count = models.BigIntegerField(default=0)
    duplicate_count = models.BigIntegerField(default=0)
    rejected_count = models.BigIntegerField(default=0)
    alike_count = models.BigIntegerField(
        default=0,
        help_text="New people who may be registered already, and about whom nobody decided",
    )
    parts_left_out = models.JSONField(
        default=dict, help_text="How many parts of its rows were left out, by kind"
    )

    created_at = models.DateTimeField(db_default=Now(), editable=False)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    lease = models.UUIDField(null=True, blank=True, editable=False)
    leased_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0, help_text="Starts since the last progress")
    rows_before = models.BigIntegerField(default=0, help_text="Rows done when this start began")

    undo_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    undone_at = models.DateTimeField(null=True, blank=True)
    undo_archived_count = models.BigIntegerField(default=0)
    undo_restored_count = models.BigIntegerField(default=0)
    undo_left_count = models.BigIntegerField(default=0)

    objects = ImportJobQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        default_permissions = ("add", "view")
        indexes = [models.Index(fields=["status", "leased_until"], name="import_job_to_do")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=JobStatus.values), name="import_status_known"
            )
        ]

    def __str__(self) -> str:
        return f"import {self.pk}"

    @property
    def rows_read(self) -> int:
        """Rows with an outcome, whatever it is."""
        return sum(getattr(self, f"{outcome}_count") for outcome in Outcome.values)

    @property
    def undone_count(self) -> int:
        """Patients that the undo has dealt with."""
        return self.undo_archived_count + self.undo_restored_count + self.undo_left_count

    @property
    def path(self) -> Path:
        """Where the file is kept; its name says nothing about its content."""
        return Path(settings.DATA_DIR) / "imports" / self.pk.hex

    @property
    def reading(self) -> dict[str, Any]:
        """How the file is read, beside its columns: arguments of `open_patients`."""
        return {
            "encoding": self.encoding,
            "values": self.values,
            "date_order": self.date_order,
        }

    @property
    def is_ended(self) -> bool:
        return self.status in ENDED

    @property
    def is_table(self) -> bool:
        """Tells whether the file has columns that become fields."""
        return self.file_format in TABLE_FORMATS

    @property
    def applied_job(self) -> "ImportJob | None":
        """The import that applied this dry run; None before, and once it failed or was undone."""
        ended = [JobStatus.FAILED, JobStatus.UNDONE]
        return self.runs.exclude(status__in=ended).order_by("-created_at").first()

    @property
    def is_undoable(self) -> bool:
        """Tells whether the import wrote patients and has ended."""
        return self.is_ended and not self.dry_run and self.new_count + self.updated_count > 0
