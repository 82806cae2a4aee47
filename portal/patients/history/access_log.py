"""Who looked at one patient: the record of readings, newest first, by person and period."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, QuerySet

from portal.accounts.models import User
from portal.errors import NotAllowed
from portal.patients.models import AccessRecord, Patient

PAGE_SIZE = 50
# Sorted after they are found. In the order of the key, PostgreSQL may walk past all readings to find a few.
_NEWEST_FIRST = (F("id") + 0).desc()


@dataclass(frozen=True)
class AccessFilters:
    """Narrow the readings. `person` is a user's id; lists that the patient stood in are left out unless asked for."""

    person: int | None = None
    since: datetime | None = None
    with_lists: bool = False


@dataclass(frozen=True)
class AccessPage:
    """Some readings, newest first, and the id that the next page starts under; None on the last."""

    readings: list[AccessRecord]
    before: int | None


def access_records_of(
    user: User | None,
    patient: Patient,
    *,
    filters: AccessFilters | None = None,
    before: int | None = None,
    limit: int = PAGE_SIZE,
) -> AccessPage:
    """A page of who looked at a patient who was opened."""
    filters = filters or AccessFilters()
    rows = (
        _readings(user, patient, with_lists=filters.with_lists)
        .select_related("user")
        .order_by(_NEWEST_FIRST)
    )
    if filters.person:
        rows = rows.filter(user_id=filters.person)
    if filters.since:
        rows = rows.filter(at__gte=filters.since)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows[: limit + 1])
    shown = found[:limit]
    return AccessPage(shown, shown[-1].pk if len(found) > limit else None)


def users_with_access_records(user: User | None, patient: Patient) -> list[User]:
    """Everybody who ever opened this record, by name."""
    ids = (
        _readings(user, patient, with_lists=False)
        .order_by()
        .values_list("user_id", flat=True)
        .distinct()
    )
    return sorted(User.objects.filter(pk__in=list(ids)), key=str)


def _readings(user: User | None, patient: Patient, *, with_lists: bool) -> QuerySet[AccessRecord]:
    if user is not None and not user.has_perm("patients.view_access"):
        raise NotAllowed("Ask an operator for the right to see who looked.")
    rows = AccessRecord.objects.filter(patient_ids__contains=[patient.pk])
    return rows if with_lists else rows.exclude(action="list")
