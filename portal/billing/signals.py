"""Requests an account in the transaction that saves a patient: a statement, no call to billing."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from django.db.models.signals import post_save

from portal.billing.services import (
    BILLED,
    request_accounts,
    request_first_account,
    request_first_accounts,
)
from portal.patients.models import Patient
from portal.patients.services import patient_changed, patients_written


def connect() -> None:
    """Connects the signals; AppConfig.ready calls it once."""
    post_save.connect(_patient_saved, sender=Patient, dispatch_uid="billing.patient_saved")
    patient_changed.connect(_patient_changed, dispatch_uid="billing.patient_changed")
    patients_written.connect(_patients_written, dispatch_uid="billing.patients_written")


def _patient_saved(instance: Patient, **_: Any) -> None:
    request_accounts([instance.pk])


def _patient_changed(patient_id: UUID, columns: Collection[str], **_: Any) -> None:
    """Requests nothing where the account has all that billing wants to know."""
    if BILLED.isdisjoint(columns):
        request_first_account(patient_id)
    else:
        request_accounts([patient_id])


def _patients_written(patient_ids: Sequence[UUID], *, are_new: bool, **_: Any) -> None:
    """Reads no log for new patients: the values in it are those that the account is opened with."""
    if are_new:
        request_first_accounts(patient_ids)
    else:
        request_accounts(patient_ids)
