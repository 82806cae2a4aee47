"""When each recurring task was sent last, when the scheduler looked last, and who else runs."""

from django.db import models
from django.db.models.functions import Now

WORKER = "worker"  # The kind of process that runs tasks.


class ScheduledTask(models.Model):
    """A task of TIMETABLE. All rows have the time of the scheduler's last beat."""

    name = models.CharField(max_length=100, primary_key=True)
    sent_at = models.DateTimeField(db_default=Now())
    checked_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.name


class Beat(models.Model):
    """A kind of process, and when one of it last said that it runs."""

    name = models.CharField(max_length=20, primary_key=True)
    beat_at = models.DateTimeField()

    class Meta:
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.name
