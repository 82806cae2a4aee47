"""What is stored of an import: the job, what each row became, the rows refused, and columns kept for the next file."""

from pathlib import Path

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower, Now
from django.utils import timezone
from uuid_utils.compat import uuid7


class JobStatus(models.TextChoices):
    MAPPING = "mapping", "Columns to be set"
    WAITING = "waiting", "Waiting"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    UNDOING = "undoing", "Being undone"
    UNDONE = "undone", "Undone"


TABLES = ["csv", "xlsx"]
ENDED = [JobStatus.DONE, JobStatus.FAILED, JobStatus.UNDONE]


class Outcome(models.TextChoices):
    """What became of a row."""

    NEW = "new", "New"
    UPDATED = "updated", "Updated"
    UNCHANGED = "unchanged", "Unchanged"
    DUPLICATE = "duplicate", "Duplicate"
    REJECTED = "rejected", "Rejected"


class Doubt(models.TextChoices):
    """Why a person may want to decide about a row."""

    LIKELY = "likely", "Likely the same person as a patient"
    APART = "apart", "An identifier of a patient who differs"
    CONFLICT = "conflict", "Identifiers of different patients"
    OVERWRITE = "overwrite", "Would overwrite what is recorded"
    ALIKE = "alike", "May be registered already"


class Choice(models.TextChoices):
    """What a person chose for a row in doubt."""

    SKIP = "skip", "Leave the row out"
    UPDATE = "update", "Update the patient"
    FILL = "fill", "Add only what is missing"
    NEW = "new", "Register a new person"


class DuplicatePolicy(models.TextChoices):
    """What becomes of new people who may be registered already and for whom nobody chose row by row."""

    REGISTER = "register", "Register them"
    REFUSE = "refuse", "Hold them back"


class UndoResult(models.TextChoices):
    """What undoing the import did to a patient whom it had made or changed."""

    ARCHIVED = "archived", "Archived."
    RESTORED = "restored", "Back to what it was before the import."
    CHANGED = "changed", "Left alone: somebody changed this patient after the import."
    LATER = (
        "later",
        "Left alone: another import changed this patient afterwards. Undo that one first.",
    )
    GONE = "gone", "Left alone: this patient is not there any more."


LEFT_ALONE = [UndoResult.CHANGED, UndoResult.LATER, UndoResult.GONE]


class ImportJobQuerySet(models.QuerySet["ImportJob"]):
    """Jobs, and those of them that need a hand."""

    def free(self) -> "ImportJobQuerySet":
        """Jobs that nobody works on: new ones, and those whose process ended in their midst."""
        unowned = models.Q(leased_until=None) | models.Q(leased_until__lt=timezone.now())
        return self.filter(unowned).exclude(status__in=[JobStatus.MAPPING, *ENDED])


class ImportJob(models.Model):
    """One file on its way into the patients, or out of them again. Its counts move in the transaction that writes.

    A process owns a running job as long as `lease` is its own and `leased_until` is ahead.
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
        """Rows that came to an end, whatever became of them."""
        return sum(getattr(self, f"{outcome}_count") for outcome in Outcome.values)

    @property
    def undone_count(self) -> int:
        """Patients that undoing has dealt with."""
        return self.undo_archived_count + self.undo_restored_count + self.undo_left_count

    @property
    def path(self) -> Path:
        """Where the file lies; the name says nothing about what is in it."""
        return Path(settings.DATA_DIR) / "imports" / self.pk.hex

    @property
    def is_ended(self) -> bool:
        return self.status in ENDED

    @property
    def is_table(self) -> bool:
        """Whether it has columns that become fields."""
        return self.file_format in TABLES

    @property
    def run(self) -> "ImportJob | None":
        """The import that a trial has led to and that stands; None before, and once that failed or was undone."""
        ended = [JobStatus.FAILED, JobStatus.UNDONE]
        return self.runs.exclude(status__in=ended).order_by("-created_at").first()

    @property
    def is_undoable(self) -> bool:
        """Whether it wrote patients and has ended."""
        return self.is_ended and not self.dry_run and self.new_count + self.updated_count > 0


class ImportedRow(models.Model):
    """What one row did, and to whom: finds a person who comes twice in a file, and lets an import be undone.

    The log has what a patient was before; it has no identifiers, so those that the row added are kept here.
    """

    job = models.ForeignKey(ImportJob, on_delete=models.CASCADE, related_name="imported_rows")
    row_number = models.BigIntegerField()
    patient_id = models.UUIDField()
    outcome = models.CharField(max_length=9, choices=Outcome)
    identifiers_added = models.JSONField(default=list, help_text="[system, value] of each")
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
    """A row that was refused. `column`, `value` and `reason` tell the first problem; `problems` tells all of them."""

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


class ImportQuestion(models.Model):
    """A row of a trial that a person may decide about; without a choice it is imported, or refused, as the trial says.

    `patient_id` is whom to update where there are several.
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


class MappingProfile(models.Model):
    """What the columns of one kind of file become, under a name; found again by the digest of the header."""

    name = models.CharField(max_length=80)
    header_digest = models.CharField(max_length=64, db_index=True)
    columns = models.JSONField(default=dict, help_text="The field for each column's folded name")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    saved_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = [Lower("name")]
        default_permissions = ()
        constraints = [models.UniqueConstraint(Lower("name"), name="one_profile_per_name")]

    def __str__(self) -> str:
        return self.name
