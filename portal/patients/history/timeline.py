"""Everything that happened to one patient as one stream: the log's changes, and what the extensions add."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from portal.accounts.models import User
from portal.patients.extensions import TimelineEvent, extensions
from portal.patients.history.log import ChangePage, changes_of, version_time
from portal.patients.history.wording import timeline_event
from portal.patients.models import Patient

PAGE_SIZE = 30
_EVER, _NEVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class TimelinePage:
    """A part of the timeline, newest first, and the version that the older part starts under; None at the end."""

    happenings: list[TimelineEvent]
    before: int | None


def timeline_page(
    user: User, patient: Patient, *, before: int | None = None, limit: int = PAGE_SIZE
) -> TimelinePage:
    """What happened to an opened patient, as far as this user may see it."""
    page = changes_of(user, patient, before=before, limit=limit)
    told = [timeline_event(change) for change in page.changes]
    start, end = _span(patient, page, before)
    told += [one for one in _from_annexes(user, patient) if start <= one.at < end]
    return TimelinePage(sorted(told, key=lambda one: one.at, reverse=True), page.before)


def _span(patient: Patient, page: ChangePage, before: int | None) -> tuple[datetime, datetime]:
    """The time that this part covers: each part ends where the next one begins, so that nothing is told twice."""
    start = page.changes[-1].at if page.before is not None else _EVER
    return start, (version_time(patient, before) if before is not None else None) or _NEVER


def _from_annexes(user: User, patient: Patient) -> Sequence[TimelineEvent]:
    tabs = [
        one.tab
        for one in extensions()
        if one.tab and one.tab.happenings and user.has_perm(one.tab.permission)
    ]
    return [happening for tab in tabs if tab.happenings for happening in tab.happenings(patient.pk)]
