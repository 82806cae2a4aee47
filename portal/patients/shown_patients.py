"""Patients as lists show them: a few columns, by one statement that records the access too."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from portal.accounts.models import User
from portal.patients.models import Sex, Status
from portal.patients.models.patient import list_name_of
from portal.patients.recorded_reads import recorded_read, values_of_read
from portal.prepared import execute_prepared

_OPENED = """
    (bigint, integer) AS
    SELECT patient_ids FROM patients_accessrecord WHERE user_id = $1 AND action = 'open'
    ORDER BY id DESC LIMIT $2
"""
_OPENINGS = 5  # Looked at for each patient who is shown: one may be opened again and again.
_SEXES: dict[str, str] = dict(Sex.choices)
_STATUSES: dict[str, str] = dict(Status.choices)


class ShownPatient(NamedTuple):
    """What a list shows of a patient; the filters of templates take it for one."""

    id: UUID
    mrn: str
    family_name: str
    given_name: str
    middle_name: str
    prefix: str
    date_of_birth: date | None
    date_of_birth_precision: str
    deceased_on: date | None
    sex: str
    status: str
    phone: str
    postal_code: str

    @property
    def pk(self) -> UUID:
        return self.id

    @property
    def list_name(self) -> str:
        return list_name_of(self.family_name, self.given_name, self.middle_name, self.prefix)

    @property
    def sex_name(self) -> str:
        return _SEXES.get(self.sex, self.sex)

    @property
    def status_name(self) -> str:
        return _STATUSES.get(self.status, self.status)


def read_shown(
    user: User | None, patient_ids: Sequence[UUID], *, channel: str
) -> list[ShownPatient]:
    """Returns those of the patients that there are, in this order, and records the access."""
    if not patient_ids:
        return []
    values = values_of_read(user, patient_ids, action="list", channel=channel)
    rows = execute_prepared("shown_patients", _statement, values)
    return [ShownPatient._make(row) for row in rows]


def last_opened(user: User, *, limit: int) -> list[UUID]:
    """Returns the patients whom this user opened last, newest first."""
    rows = execute_prepared("last_opened", lambda: _OPENED, [user.pk, limit * _OPENINGS])
    opened = dict.fromkeys(patient_id for (patient_ids,) in rows for patient_id in patient_ids)
    return [*opened][:limit]


def _statement() -> str:
    return recorded_read({name: f"patients_patient.{name}" for name in ShownPatient._fields})
