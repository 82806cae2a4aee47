"""The access log, and the idempotency keys of registrations."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Now


class AccessRecord(models.Model):
    """One access to patients: a page, an answer of the API, an export; one row for a whole list."""

    at = models.DateTimeField(db_default=Now())
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    action = models.CharField(max_length=12)
    door = models.CharField(max_length=7)
    request_id = models.CharField(max_length=64, blank=True)
    patient_ids = ArrayField(models.UUIDField())

    class Meta:
        ordering = ["-id"]
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["at"], name="access_by_time"),
            GinIndex(fields=["patient_ids"], name="access_by_patient"),
            # The first patients of a list are in very many rows; accesses that open one are few.
            GinIndex(
                fields=["patient_ids"],
                name="access_by_opened_patient",
                condition=~models.Q(action="list"),
            ),
        ]

    def __str__(self) -> str:
        return f"access {self.pk}"


class IdempotencyKey(models.Model):
    """The key of a registration, which makes one patient however often it is sent within a day."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+"
    )
    key = models.CharField(max_length=255)
    digest = models.CharField(max_length=64)
    patient = models.ForeignKey(
        "patients.Patient", null=True, on_delete=models.CASCADE, related_name="+"
    )
    answer = models.JSONField(null=True, help_text="What the API answered the first time")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["user", "key"], name="one_use_per_key", nulls_distinct=False
            ),
        ]
        indexes = [models.Index(fields=["created_at"], name="idempotency_key_by_age")]

    def __str__(self) -> str:
        return f"idempotency key {self.pk}"
