"""Which database's series of numbers were compared with what was given out."""

from django.db import models
from django.db.models.functions import Now


class NumberCheck(models.Model):
    """When the series of this database were moved past all that was given out before a restore.

    A restore gives the database another `identity`, so that the row of a backup counts no more.
    """

    identity = models.CharField(max_length=100)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"number check {self.pk}"
