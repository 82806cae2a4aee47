"""What other areas add to a patient without patients knowing them: billing adds its account."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from portal.accounts.models import User
from portal.patients.models import Patient


@dataclass(frozen=True)
class Tag:
    """A state in a word, for the banner. The page asks again each second while `is_waiting`.

    Both values come out of one query: a state that was read before a wait that ended after it
    would stay on the page for ever.
    """

    status: str
    is_waiting: bool


@dataclass(frozen=True)
class TimelineEvent:
    """Something that happened around a patient; `version` is the record's, where that changed."""

    at: datetime
    title: str
    details: Sequence[str] = ()
    by: str = ""
    channel: str = ""
    version: int | None = None


@dataclass(frozen=True)
class Tab:
    """A tab on the patient's page: `url_name` takes the patient's id, `tag_of` gives the tag.

    `events_of`, where given, adds to the timeline of users who hold the tab's permission: a few
    events, in any order.
    """

    label: str
    url_name: str
    permission: str
    tag_of: Callable[[UUID], Tag]
    events_of: Callable[[UUID], Sequence[TimelineEvent]] | None = None


@dataclass(frozen=True)
class Extension:
    """`members_of` gives a JSON object for each of many patients, `totals` gives figures.

    `json_sql` gives the same object as an SQL expression, of the column that holds a patient's id.
    `request_sql`, where given, is what the area writes for a new patient: a statement that reads id
    and version of `written`. Where one of the `watched_columns` changes, the area has to be told by
    `services.patient_changed`. `find_by_number`, where given, returns the patients to whom the area
    gave a number; `number_label` says what kind of number it is.
    """

    name: str
    members_of: Callable[[Sequence[UUID]], Mapping[UUID, dict[str, Any]]]
    totals: Callable[[], dict[str, Any]]
    json_sql: Callable[[str], str]
    request_sql: str = ""
    watched_columns: frozenset[str] = frozenset()
    tab: Tab | None = None
    find_by_number: Callable[[str], Sequence[UUID]] | None = None
    number_label: str = ""


_extensions: dict[str, Extension] = {}


def register_extension(extension: Extension) -> None:
    """Adds an extension, once, in the `ready` of an area's AppConfig."""
    _extensions[extension.name] = extension


def extensions() -> list[Extension]:
    """Returns all extensions, in the order of registration."""
    return list(_extensions.values())


def requests_sql() -> str:
    """Returns what all areas write for a patient, to follow `WITH written AS (…)`."""
    return "".join(
        f", {extension.name} AS ({extension.request_sql})"
        for extension in extensions()
        if extension.request_sql
    )


def extension_members(patient_ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """Returns what the extensions add to each patient's JSON: `{"billing": {...}}`.

    It takes one query for each extension, however many patients there are.
    """
    members: dict[UUID, dict[str, Any]] = {patient_id: {} for patient_id in patient_ids}
    for extension in extensions():
        found = extension.members_of(patient_ids)
        for patient_id in patient_ids:
            members[patient_id][extension.name] = found.get(patient_id)
    return members


def totals() -> dict[str, Any]:
    """Returns the figures of each extension by its name."""
    return {extension.name: extension.totals() for extension in extensions()}


@dataclass(frozen=True)
class Notice:
    """A line above a patient's overview: the template that draws it, and its context."""

    template: str
    context: Mapping[str, Any]


NoticeFor = Callable[[User, Patient], Notice | None]
_notices: list[NoticeFor] = []


def register_notice(notice_for: NoticeFor) -> None:
    """Adds a notice, once, in the `ready` of an area's AppConfig."""
    _notices.append(notice_for)


def notices_for(user: User, patient: Patient) -> list[Notice]:
    """Returns what other areas tell this user above this patient's overview."""
    return [notice for notice_for in _notices if (notice := notice_for(user, patient))]
