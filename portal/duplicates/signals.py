"""Saving a patient who is active again puts their pairs back on the worklist."""

from collections.abc import Collection
from typing import Any

from django.db.models.signals import post_save

from portal.duplicates.worklist import reopen_pairs_of
from portal.patients.models import Patient, Status


def connect() -> None:
    """Connects the signals; called once, when the app is ready."""
    post_save.connect(_patient_saved, sender=Patient, dispatch_uid="patients.patient_saved")


def _patient_saved(
    instance: Patient, update_fields: Collection[str] | None = None, **_: Any
) -> None:
    """Acts on a restored or unmerged patient; any other change waits for the next scan."""
    if update_fields and "status" in update_fields and instance.status == Status.ACTIVE:
        reopen_pairs_of(instance.pk)
