"""What is stored: the patient, the event log with its outbox, and who looked."""

from portal.patients.models.access import AccessRecord, IdempotencyKey
from portal.patients.models.log import EventOutbox, PatientEvent
from portal.patients.models.patient import Patient, PatientIdentifier, Precision, Sex, Source, Status

__all__ = [
    "AccessRecord",
    "EventOutbox",
    "IdempotencyKey",
    "Patient",
    "PatientEvent",
    "PatientIdentifier",
    "Precision",
    "Sex",
    "Source",
    "Status",
]
