"""What patients do when one of them is saved: who is active again stands on the list of possible duplicates again."""

from collections.abc import Collection
from typing import Any

from django.db.models.signals import post_save

from portal.duplicates.worklist import reopen_pairs_of
from portal.patients.models import Patient, Status


def connect() -> None:
    """Called once, when the app is ready."""
    post_save.connect(_patient_saved, sender=Patient, dispatch_uid="patients.patient_saved")


def _patient_saved(
    instance: Patient, update_fields: Collection[str] | None = None, **_: Any
) -> None:
    """Of a restored or unmerged one; other changes cost nothing here, and wait for the next scan."""
    if update_fields and "status" in update_fields and instance.status == Status.ACTIVE:
        reopen_pairs_of(instance.pk)
