"""The tables of patients: records, event log and outbox, access log, and words of names."""

from portal.patients.models.access import AccessRecord, IdempotencyKey
from portal.patients.models.duplicates import AGREEING, DuplicateScan, PairState, PossibleDuplicate
from portal.patients.models.log import EventOutbox, IdentifierChange, PatientEvent
from portal.patients.models.numbers import NumberCheck
from portal.patients.models.patient import (
    FIRST_DAY,
    FOR_EVER,
    LAST_DAY,
    Patient,
    PatientIdentifier,
    Precision,
    Sex,
    Source,
    Status,
)
from portal.patients.models.vocabulary import NameWord

__all__ = [
    "AGREEING",
    "FIRST_DAY",
    "FOR_EVER",
    "LAST_DAY",
    "AccessRecord",
    "DuplicateScan",
    "EventOutbox",
    "IdempotencyKey",
    "IdentifierChange",
    "NameWord",
    "NumberCheck",
    "PairState",
    "Patient",
    "PatientEvent",
    "PatientIdentifier",
    "PossibleDuplicate",
    "Precision",
    "Sex",
    "Source",
    "Status",
]
