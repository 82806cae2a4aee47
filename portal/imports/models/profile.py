"""Columns that were saved under a name for the next file of the same kind."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower


class MappingProfile(models.Model):
    """What the columns of one kind of file become, found by the digest of the header."""

    name = models.CharField(max_length=80)
    header_digest = models.CharField(max_length=64, db_index=True)
    columns = models.JSONField(default=dict, help_text="The field for each column's folded name")
    values = models.JSONField(
        default=dict, help_text='What values mean, by field: {"sex": {"w": "female"}}'
    )
    date_order = models.CharField(max_length=3, blank=True, help_text="DMY or MDY; empty: clinic's")
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
