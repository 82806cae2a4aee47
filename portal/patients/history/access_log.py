"""The access log of one patient: who looked at the record, newest first, by user and period."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, QuerySet

from portal.accounts.models import User
from portal.errors import NotAllowed
from portal.pagination import Page, page_of
from portal.patients.models import AccessRecord, Patient

PAGE_SIZE = 50  # access records on a page
# An expression, not the key itself: PostgreSQL would walk the key past all access records to find
# a few of one patient. So it finds them by the patient's index, and sorts them afterwards.
_NEWEST_FIRST = (F("id") + 0).desc()


@dataclass(frozen=True)
class AccessFilters:
    """What to show of the access log; `user_id` is the reader's.

    Lists that the patient stood in are left out without `with_lists`.
    """

    user_id: int | None = None
    since: datetime | None = None
    with_lists: bool = False


def access_records_of(
    user: User | None,
    patient: Patient,
    *,
    filters: AccessFilters | None = None,
    before: int | None = None,
    limit: int = PAGE_SIZE,
) -> Page[AccessRecord]:
    """Returns a page of who looked at a patient; `before` is the cursor of the page before.

    Raises NotAllowed if the user may not see the access log.
    """
    filters = filters or AccessFilters()
    records = _access_records(user, patient, with_lists=filters.with_lists)
    records = records.select_related("user").order_by(_NEWEST_FIRST)
    if filters.user_id:
        records = records.filter(user_id=filters.user_id)
    if filters.since:
        records = records.filter(at__gte=filters.since)
    if before is not None:
        records = records.filter(pk__lt=before)
    return page_of(records, limit=limit, cursor=lambda record: str(record.pk))


def users_with_access_records(user: User | None, patient: Patient) -> list[User]:
    """Returns all users who ever looked at this patient's record, by name."""
    records = _access_records(user, patient, with_lists=False).order_by()
    user_ids = list(records.values_list("user_id", flat=True).distinct())
    return sorted(User.objects.filter(pk__in=user_ids), key=str)


def _access_records(
    user: User | None, patient: Patient, *, with_lists: bool
) -> QuerySet[AccessRecord]:
    if user is not None and not user.has_perm("patients.view_access"):
        raise NotAllowed("Ask an operator for the right to see who looked.")
    records = AccessRecord.objects.filter(patient_ids__contains=[patient.pk])
    return records if with_lists else records.exclude(action="list")
