"""The lists of patients on pages: what a search finds, and whom the user opened last."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from portal.accounts.models import User
from portal.patients.models import Source
from portal.patients.search.engine import find_hits
from portal.patients.search.first_page import read_first_page
from portal.patients.search.hits import COMMONER, FUZZY, Hit
from portal.patients.selectors import PatientFilters, filter_patients, patients_visible_to
from portal.patients.shown_patients import ShownPatient, last_opened, read_shown


@dataclass(frozen=True)
class ShownHit:
    """A patient on a list, and the hit by which a text found them."""

    patient: ShownPatient
    reason: str = ""
    is_approximate: bool = False

    @property
    def shows_reason(self) -> bool:
        """Returns whether the reason adds to the name that is shown beside it."""
        return self.reason not in {"", "Name"}


@dataclass(frozen=True)
class ShownPage:
    """A page of a list, and the cursor of the next; empty on the last page."""

    hits: list[ShownHit]
    next_cursor: str = ""


def find_shown_patients(
    user: User,
    *,
    channel: str,
    text: str = "",
    filters: PatientFilters | None = None,
    after: str = "",
    limit: int = 50,
) -> ShownPage:
    """Returns the page of `find_patients` as a list shows it, and records access."""
    filters = filters or PatientFilters()
    patients = filter_patients(user, filters)
    is_first_page = not text.strip() and not after and filters == PatientFilters()
    if first_page := read_first_page(limit) if is_first_page else None:
        ids, next_cursor = first_page
        shown = read_shown(user, ids, channel=channel)
        return ShownPage([ShownHit(patient) for patient in shown], next_cursor)
    found = find_hits(patients, text, after=after, limit=limit)
    by_id = {hit.patient_id: hit for hit in found.hits}
    shown = read_shown(user, [*by_id], channel=channel)
    hits = [_shown_hit(patient, by_id[patient.id]) for patient in shown]
    return ShownPage(hits, found.next_cursor)


def _shown_hit(patient: ShownPatient, hit: Hit) -> ShownHit:
    return ShownHit(patient, hit.reason, is_approximate=hit.key in {FUZZY, COMMONER})


def recent_patients(user: User, *, limit: int = 10) -> list[ShownPatient]:
    """Returns the patients that this user opened last, newest first, and records access."""
    patients_visible_to(user)
    return read_shown(user, last_opened(user, limit=limit), channel=Source.PORTAL)


def shown_by_id(
    user: User | None, patient_ids: Sequence[UUID], *, channel: str
) -> dict[UUID, ShownPatient]:
    """Returns those that the user may see, for a list that names patients; records access."""
    patients_visible_to(user)
    return {patient.id: patient for patient in read_shown(user, patient_ids, channel=channel)}
