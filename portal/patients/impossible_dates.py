"""Finds records with a date that cannot be: SQL wrote them before the database refused such dates.

The readers show such a date in words, and each loop counts it as not known. Here it is told to
operators, until the record is corrected.
"""

import structlog
from django.db import DatabaseError, connection, transaction

from portal.cache import CachedValue
from portal.patients.models import FIRST_DAY, FOR_EVER, LAST_DAY, Patient, PatientIdentifier

log = structlog.get_logger("portal.patients")
COUNT_TTL_SECONDS = 60.0  # How old the number may be: to count reads the whole table.
_CHECKS = {
    model._meta.db_table: [
        constraint.name
        for constraint in model._meta.constraints
        if constraint.name.endswith(("_is_possible", "_are_possible"))
    ]
    for model in (Patient, PatientIdentifier)
}
_DAYS = f"BETWEEN '{FIRST_DAY}' AND '{LAST_DAY}'"
_LABELS = {
    f"date_of_birth NOT {_DAYS}": "date of birth",
    f"deceased_on NOT {_DAYS}": "day of death",
    f"registered_on NOT {_DAYS}": "day of registration",
    f"(created_at NOT {_DAYS} OR updated_at NOT {_DAYS})": "time of a change",
}
_FOUND = ", ".join(
    f"CASE WHEN {condition} THEN '{label}' END" for condition, label in _LABELS.items()
)
# Each patient with an impossible date, and of what; an empty date is possible.
IMPOSSIBLE_DATES = f"""
    SELECT id AS patient, concat_ws(', ', {_FOUND}) AS found
    FROM patients_patient WHERE {" OR ".join(_LABELS)}
    UNION ALL
    SELECT patient_id, 'validity of an identifier' FROM patients_patientidentifier
    WHERE valid_from NOT BETWEEN '{FIRST_DAY}' AND '{FOR_EVER}'
        OR valid_to NOT BETWEEN '{FIRST_DAY}' AND '{FOR_EVER}'
"""  # noqa: S608 - all parts are constants
_COUNT = f"SELECT count(DISTINCT patient) FROM ({IMPOSSIBLE_DATES}) AS found"  # noqa: S608 - Same.
_ARE_PROVEN = """
    SELECT count(*) FROM pg_constraint
    WHERE convalidated AND conname = ANY(%s)
        AND conrelid IN ('patients_patient'::regclass, 'patients_patientidentifier'::regclass)
"""


def _count() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_COUNT)
        return int(cursor.fetchone()[0])


_counted = CachedValue("patients.impossible_dates", _count, ttl_seconds=COUNT_TTL_SECONDS)


def count_impossible_dates() -> int:
    """Returns how many patients have an impossible date; where there may be any, a minute old."""
    names = [name for names in _CHECKS.values() for name in names]
    with connection.cursor() as cursor:
        cursor.execute(_ARE_PROVEN, [names])
        is_proven = cursor.fetchone()[0] == len(names)
    return 0 if is_proven else _counted()


def prove_dates() -> None:
    """Makes the database prove its checks of dates on the rows that are older than the checks.

    Call it once no record has an impossible date any more. A second time it changes nothing.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            for table, names in _CHECKS.items():
                for name in names:
                    cursor.execute(
                        "SELECT FROM pg_constraint WHERE conname = %s AND NOT convalidated", [name]
                    )
                    if cursor.rowcount:
                        cursor.execute(f'ALTER TABLE "{table}" VALIDATE CONSTRAINT "{name}"')
    except DatabaseError as error:  # A role without the right, or a new bad row: the next time.
        log.warning("dates_not_proven", error=type(error).__name__)
