"""The only way from a request to a patient: what may be read, and by whom. Every reading is recorded."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from portal.accounts.models import User
from portal.errors import Gone, NotAllowed, NotFound, PortalError
from portal.patients.audit import record_access
from portal.patients.matching.lookup import exclude_dismissed, find_matches
from portal.patients.matching.rules import Match
from portal.patients.models import (
    AccessRecord,
    Patient,
    PatientEvent,
    PatientIdentifier,
    Sex,
    Source,
    Status,
)
from portal.patients.models.log import DELETED
from portal.patients.normalize import identifier_value
from portal.patients.search.engine import SearchPage, estimate_count, search

LARGEST_PAGE = 200


@dataclass(frozen=True)
class PatientFilters:
    """Narrow a list; empty means any, but for merged records: those are found by that status alone.

    `identifier` is a value, or `system|value`.
    """

    date_of_birth: date | None = None
    sex: str = ""
    status: str = Status.ACTIVE
    registered_from: date | None = None
    registered_to: date | None = None
    identifier: str = ""

    @classmethod
    def of_the_list(cls, asked: Mapping[str, str]) -> "PatientFilters":
        """What the boxes above the list say, for the page and for the file of the same patients."""
        status = {"any": "", Status.ARCHIVED: Status.ARCHIVED}.get(
            asked.get("status", ""), Status.ACTIVE
        )
        sex = asked.get("sex", "")
        return cls(status=status, sex=sex if sex in Sex.values else "")


def patients_visible_to(user: User | None) -> QuerySet[Patient]:
    """Patients that this user may see; None stands for the clinic's own commands."""
    if user is not None and not user.has_perm("patients.view_patient"):
        raise NotAllowed("Ask an operator for the right to see patients.")
    return Patient.objects.all()


def open_patient(
    user: User | None, patient_id: UUID, *, channel: str, action: str = "open"
) -> Patient:
    """One patient with identifiers; the reading is recorded, `action` being what of the record somebody looked at.

    NotFound if there is none that the user may see; Gone if there was one.
    """
    patient = (
        patients_visible_to(user).prefetch_related("identifiers").filter(pk=patient_id).first()
    )
    if patient is None:
        raise no_such_patient(patient_id)
    record_access(user, [patient.pk], action=action, channel=channel)
    return patient


def no_such_patient(patient_id: UUID) -> PortalError:
    """What to raise where no patient has this id: the log knows whether there was one."""
    if PatientEvent.objects.filter(pgh_obj_id=patient_id, pgh_label=DELETED).exists():
        return Gone(
            "The record at this address was deleted for good. Search for the person: there may be another one."
        )
    return NotFound("There is no patient at this address.")


def find_patients(
    user: User | None,
    *,
    channel: str,
    text: str = "",
    filters: PatientFilters | None = None,
    after: str = "",
    limit: int = 50,
) -> SearchPage:
    """A page of patients, the best hits first, from the cursor on; the reading is recorded."""
    among = _filtered(patients_visible_to(user), filters or PatientFilters())
    found = search(among.prefetch_related("identifiers"), text, after=after, limit=limit)
    record_access(user, [patient.pk for patient in found.patients], action="list", channel=channel)
    return found


def estimate_patients(
    user: User | None, *, text: str = "", filters: PatientFilters | None = None
) -> int:
    """About how many patients a search finds, rounded to two digits; nobody is read, and nothing counted."""
    count = estimate_count(_filtered(patients_visible_to(user), filters or PatientFilters()), text)
    return round(count, 2 - len(str(count)))


def similar_patients(
    user: User | None,
    details: Mapping[str, Any],
    *,
    channel: str,
    seen: Collection[UUID] = (),
    but_for: UUID | None = None,
    before: Mapping[str, Any] | None = None,
) -> list[tuple[Patient, Match]]:
    """The patients who may be the person of these cleaned details, the surest first, each with the match.

    For a patient who is changed, `but_for` is her own id: those count who match better than they did `before`, and
    whose pair with her is not dismissed.
    The reading is recorded, but for those whom the user has `seen` a moment ago.
    """
    visible = patients_visible_to(user)
    visible = exclude_dismissed(visible, but_for) if but_for else visible
    matches = find_matches(visible, details, before=before)
    by_id = visible.in_bulk([match.patient_id for match in matches])
    record_access(
        user, [one for one in by_id if one not in seen], action="similar", channel=channel
    )
    return [(by_id[match.patient_id], match) for match in matches if match.patient_id in by_id]


def recent_patients(user: User, *, limit: int = 10) -> list[Patient]:
    """The patients that this user opened last, newest first, for the staff's pages; they are named there, so read."""
    from_log = user_openings(user).values_list("patient_ids", flat=True)[: limit * 5]
    ids = list(dict.fromkeys(one for row in from_log for one in row))[:limit]
    by_id = patients_by_id(user, ids, channel=Source.PORTAL)
    return [by_id[one] for one in ids if one in by_id]


def patients_by_id(
    user: User | None, patient_ids: Iterable[UUID], *, channel: str
) -> dict[UUID, Patient]:
    """Those of them that the user may see, for a list of something else that names them; the reading is recorded."""
    found = patients_visible_to(user).in_bulk(list(patient_ids))
    record_access(user, found, action="list", channel=channel)
    return found


def user_openings(user: User) -> QuerySet[Any]:
    """The user's own readings of single patients, newest first."""
    return AccessRecord.objects.filter(user=user, action="open").order_by("-id")


def patients_with_identifiers(pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], UUID]:
    """Who holds these (system, value) pairs; values are normalised here. One query for all."""
    wanted = {(system, identifier_value(value)) for system, value in pairs}
    rows = PatientIdentifier.objects.filter(value__in={value for _, value in wanted})
    return {
        (row.system, row.value): row.patient_id for row in rows if (row.system, row.value) in wanted
    }


def every_patient(
    user: User | None, *, channel: str, text: str = "", filters: PatientFilters | None = None
) -> Iterator[Patient]:
    """All that match exactly, for a file, page by page in bounded memory, each page recorded as taken out.

    Nobody who merely sounds alike: on a page a person judges that, in a file a stranger's record leaves the house.
    """
    among = _filtered(patients_visible_to(user), filters or PatientFilters()).prefetch_related(
        "identifiers"
    )
    after = ""
    while True:
        page = search(among, text, after=after, limit=1000, with_approximate=False)
        record_access(
            user, [patient.pk for patient in page.patients], action="export", channel=channel
        )
        yield from page.patients
        after = page.next_cursor
        if not after:
            return


def _filtered(found: QuerySet[Patient], filters: PatientFilters) -> QuerySet[Patient]:
    exact = {"date_of_birth": filters.date_of_birth, "sex": filters.sex, "status": filters.status}
    bounds = {
        "registered_on__gte": filters.registered_from,
        "registered_on__lte": filters.registered_to,
    }
    found = found.filter(**{name: value for name, value in {**exact, **bounds}.items() if value})
    if not filters.status:
        found = found.exclude(
            status=Status.MERGED
        )  # They are nobody of their own: the other record is the person.
    if filters.identifier:
        system, _, value = filters.identifier.rpartition("|")
        held = PatientIdentifier.objects.filter(value=identifier_value(value))
        held = held.filter(system=system) if system else held
        found = found.filter(pk__in=held.values("patient_id"))
    return found
