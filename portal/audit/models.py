"""Seals over the logs. Each covers the seal before it, so that no row can change unnoticed."""

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now


class Log(models.TextChoices):
    READS = "reads", "Reads"
    WRITES = "writes", "Writes"
    IDENTIFIERS = "identifiers", "Identifiers"


class AuditSeal(models.Model):
    """A seal over a log's rows after `after_id` up to `to_id`.

    `digest` covers these rows and the digest before.

    `row_ids` and `row_marks` (the beginning of each row's own digest) only serve to name the row
    that was changed.
    """

    log = models.CharField(max_length=11, choices=Log)
    form = models.SmallIntegerField(help_text="Which columns are covered, and how they are written")
    after_id = models.BigIntegerField()
    to_id = models.BigIntegerField()
    row_ids = ArrayField(models.BigIntegerField())
    row_marks = ArrayField(models.IntegerField())
    digest = models.CharField(max_length=64)
    sealed_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["id"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["log", "after_id"], name="one_seal_behind_another"),
            models.CheckConstraint(
                condition=models.Q(to_id__gt=models.F("after_id")), name="seal_goes_forward"
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"seal of {self.log} up to {self.to_id}"
