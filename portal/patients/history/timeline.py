"""The timeline of a patient: the changes in the log and the events of extensions, as one list."""

from datetime import UTC, datetime

from portal.accounts.models import User
from portal.pagination import Page
from portal.patients.extensions import TimelineEvent, extensions
from portal.patients.history.log import Change, changes_of, version_time
from portal.patients.history.wording import timeline_event
from portal.patients.models import Patient

PAGE_SIZE = 30  # changes on a page; the extensions' events come on top
_BEFORE_ALL, _AFTER_ALL = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def timeline_page(
    user: User, patient: Patient, *, before: int | None = None, limit: int = PAGE_SIZE
) -> Page[TimelineEvent]:
    """Returns what happened to a patient, newest first, as far as the user may see it.

    The page starts below the version `before`.
    """
    changes = changes_of(user, patient, before=before, limit=limit)
    start, end = _page_span(patient, changes, before)
    events = [timeline_event(change) for change in changes.rows]
    events += [event for event in _extension_events(user, patient) if start <= event.at < end]
    return changes.with_rows(sorted(events, key=lambda event: event.at, reverse=True))


def _page_span(
    patient: Patient, changes: Page[Change], before: int | None
) -> tuple[datetime, datetime]:
    """Returns the time of a page, which ends where the newer page starts: no event comes twice."""
    start = changes.rows[-1].at if changes.next_cursor else _BEFORE_ALL
    end = version_time(patient, before) if before is not None else None
    return start, end or _AFTER_ALL


def _extension_events(user: User, patient: Patient) -> list[TimelineEvent]:
    events: list[TimelineEvent] = []
    for extension in extensions():
        tab = extension.tab
        if tab and tab.events_of and user.has_perm(tab.permission):
            events += tab.events_of(patient.pk)
    return events
