"""What other areas add to a patient, without patients knowing them: billing adds its account, and a tab."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from portal.accounts.models import User
from portal.patients.models import Patient


@dataclass(frozen=True)
class Tag:
    """A state in a word, for the banner; the page looks again each second while `is_waiting`: it is about to change.

    Both come out of one reading: a state read before, and a wait that ended after it, would stand there for ever.
    """

    status: str
    is_waiting: bool


@dataclass(frozen=True)
class TimelineEvent:
    """Something that happened around a patient; `version` is that of the record, where it changed the record."""

    at: datetime
    title: str
    details: Sequence[str] = ()
    by: str = ""
    door: str = ""
    version: int | None = None


@dataclass(frozen=True)
class Tab:
    """A tab on the patient's page: `url_name` takes the patient's id, and `tag_of` gives the banner its state.

    `happenings`, where given, adds to the timeline of those who hold the tab's permission: a few, in any order.
    """

    label: str
    url_name: str
    permission: str
    tag_of: Callable[[UUID], Tag]
    happenings: Callable[[UUID], Sequence[TimelineEvent]] | None = None


@dataclass(frozen=True)
class Extension:
    """`for_patients` gives a JSON object for each of many patients in one go; `totals` gives figures over all."""

    name: str
    for_patients: Callable[[Sequence[UUID]], Mapping[UUID, dict[str, Any]]]
    totals: Callable[[], dict[str, Any]]
    tab: Tab | None = None


_annexes: dict[str, Extension] = {}


def register_extension(
    name: str,
    *,
    for_patients: Callable[[Sequence[UUID]], Mapping[UUID, dict[str, Any]]],
    totals: Callable[[], dict[str, Any]],
    tab: Tab | None = None,
) -> None:
    """Called once by an area's AppConfig.ready."""
    _annexes[name] = Extension(name, for_patients, totals, tab)


def extensions() -> list[Extension]:
    """All of them, in the order of registration."""
    return list(_annexes.values())


def extension_members(patient_ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """For each patient what the extensions say: `{"billing": {...}}`; one query an annex, however many patients."""
    parts: dict[UUID, dict[str, Any]] = {one: {} for one in patient_ids}
    for annex in extensions():
        said = annex.for_patients(patient_ids)
        for one in patient_ids:
            parts[one][annex.name] = said.get(one)
    return parts


def totals() -> dict[str, Any]:
    """Figures of every annex by its name."""
    return {annex.name: annex.totals() for annex in extensions()}


@dataclass(frozen=True)
class Notice:
    """A line above a patient's overview: the template that draws it, and what it shows there."""

    template: str
    context: Mapping[str, Any]


NoticeFor = Callable[[User, Patient], Notice | None]
_notices: list[NoticeFor] = []


def register_notice(notice_for: NoticeFor) -> None:
    """Called once by an area's AppConfig.ready."""
    _notices.append(notice_for)


def notices_for(user: User, patient: Patient) -> list[Notice]:
    """What other areas say above this patient's overview to this user."""
    return [notice for notice_for in _notices if (notice := notice_for(user, patient))]
