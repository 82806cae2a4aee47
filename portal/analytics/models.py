"""The last snapshot of the figures, for the time when the stream processor is away."""

from django.db import models


class LastFigures(models.Model):
    """The last snapshot, in one row. The current figures are in the stream processor's database."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    figures = models.JSONField()
    taken_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        permissions = [("view_figures", "Can see the dashboard and the figures")]
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="one_row_of_last_figures")
        ]

    def __str__(self) -> str:
        return "last figures"
