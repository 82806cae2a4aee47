"""Requests an account in the transaction that saves a patient: a statement, no call to billing."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models.signals import post_save

from portal.billing.services import request_accounts
from portal.patients.models import Patient
from portal.patients.services import patients_written


def connect() -> None:
    """Connects the signals; AppConfig.ready calls it once."""
    post_save.connect(_patient_saved, sender=Patient, dispatch_uid="billing.patient_saved")
    patients_written.connect(_patients_written, dispatch_uid="billing.patients_written")


def _patient_saved(instance: Patient, **_: Any) -> None:
    request_accounts([instance.pk])


def _patients_written(patient_ids: Sequence[UUID], **_: Any) -> None:
    request_accounts(patient_ids)
