"""The reports: one for each check, with its figures and the first differences."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from uuid_utils.compat import uuid7


class Verdict(models.TextChoices):
    WAITING = "waiting", "Waiting"
    RUNNING = "running", "Running"
    AGREES = "agrees", "Agrees"
    DIFFERS = "differs", "Differs"
    FAILED = "failed", "Failed"


class ReconcileReport(models.Model):
    """A check of all stores; it names patients by id alone.

    Only the process that holds the lock of `workspace.Workspace` writes a running report.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    is_repair = models.BooleanField("repair", default=False)
    status = models.CharField(max_length=7, choices=Verdict, default=Verdict.WAITING)
    step = models.CharField(max_length=60, blank=True, help_text="What it does at the moment")
    message = models.CharField(
        max_length=500, blank=True, help_text="Why no proof could be given, and what to do"
    )
    figures = models.JSONField(default=dict, blank=True)
    difference_count = models.BigIntegerField(default=0)
    differences = models.JSONField(default=list, blank=True, help_text="The first ones")
    repaired = models.JSONField(default=list, blank=True, help_text="What the repair did")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        default_permissions = ("add", "view")
        indexes = [models.Index(fields=["-finished_at"], name="reconcile_report_by_end")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=Verdict.values), name="reconcile_status_known"
            )
        ]

    def __str__(self) -> str:
        return f"reconciliation {self.pk}"

    @property
    def is_ended(self) -> bool:
        return self.status not in (Verdict.WAITING, Verdict.RUNNING)

    @property
    def seconds(self) -> float | None:
        """How long the check took; None before the end."""
        if not self.finished_at or not self.started_at:
            return None
        return (self.finished_at - self.started_at).total_seconds()
