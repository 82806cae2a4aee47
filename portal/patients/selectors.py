"""The only way from a request to a patient: who may read what. Every access is recorded."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import Count, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import JSONObject

from portal.accounts.models import User
from portal.cache import COUNT_TTL_SECONDS, LARGE_TABLE_ROWS, CachedValue
from portal.errors import Gone, IncompleteExport, NotAllowed, NotFound, PortalError
from portal.patients.audit import record_access
from portal.patients.matching.lookup import exclude_dismissed, find_matches
from portal.patients.matching.rules import Match
from portal.patients.models import (
    Patient,
    PatientEvent,
    PatientIdentifier,
    Sex,
    Status,
)
from portal.patients.models.log import DELETED
from portal.patients.normalize import identifier_value
from portal.patients.opened_patient import read_opened
from portal.patients.search.engine import SearchPage, estimate_count, find_exact_patients, search

LARGEST_PAGE = 200  # patients on a page that a client asks for
EXPORT_PAGE = 1000  # patients in memory at once, and in one access record, for a file


@dataclass(frozen=True)
class PatientFilters:
    """What narrows a list; an empty filter takes any patient, but no merged record.

    Merged records are found by their status alone.
    `identifier` is a value, or `system|value`.
    """

    date_of_birth: date | None = None
    sex: str = ""
    status: str = Status.ACTIVE
    registered_from: date | None = None
    registered_to: date | None = None
    identifier: str = ""

    @classmethod
    def from_page(cls, query: Mapping[str, str]) -> "PatientFilters":
        """Returns the filters of the boxes above the list, for its page and for its file."""
        statuses = {"any": "", Status.ARCHIVED: Status.ARCHIVED}
        status = statuses.get(query.get("status", ""), Status.ACTIVE)
        sex = query.get("sex", "")
        return cls(status=status, sex=sex if sex in Sex.values else "")


# Not prepared: an import that begins among few patients goes on among many.
_HOLDERS = """
    SELECT system, value, patient_id FROM unnest(%s::text[], %s::text[]) AS wanted (system, value)
    JOIN patients_patientidentifier USING (system, value)
"""


def patients_visible_to(user: User | None) -> QuerySet[Patient]:
    """Returns the patients that this user may see; None stands for the clinic's own commands."""
    if user is not None and not user.has_perm("patients.view_patient"):
        raise NotAllowed("Ask an operator for the right to see patients.")
    return Patient.objects.all()


def open_patient(
    user: User | None, patient_id: UUID, *, channel: str, action: str = "open"
) -> Patient:
    """Returns one patient with identifiers, and records the access.

    `action` says what of the record the user looked at; see `audit.ACCESS_ACTIONS`.
    NotFound if there is none that the user may see; Gone if there was one.
    """
    patients_visible_to(user)
    patient = read_opened(user, patient_id, action=action, channel=channel)
    if patient is None:
        raise no_such_patient(patient_id)
    return patient


def no_such_patient(patient_id: UUID) -> PortalError:
    """Returns the error for an id that no patient has: the log knows whether one had it."""
    if PatientEvent.objects.filter(pgh_obj_id=patient_id, pgh_label=DELETED).exists():
        message = (
            "The record at this address was deleted for good. "
            "Search for the person: there may be another one."
        )
        return Gone(message)
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
    """Returns a page of whole patients after the cursor, best hits first, and records access."""
    patients = filter_patients(user, filters).prefetch_related("identifiers")
    found = search(patients, text, after=after, limit=limit)
    record_access(user, [patient.pk for patient in found.patients], action="list", channel=channel)
    return found


def estimate_patients(
    user: User | None, *, text: str = "", filters: PatientFilters | None = None
) -> int:
    """Returns an estimate of how many patients a search finds, rounded to two digits."""
    patients = filter_patients(user, filters)
    if text.strip() or filters not in (None, PatientFilters()):
        count = estimate_count(patients, text)
    else:
        count = _estimated_active()
    return round(count, 2 - len(str(count)))


# Every plain list says it.
_estimated_active = CachedValue(
    "patients.estimated_active",
    lambda: estimate_count(filter_patients(None, None), ""),
    ttl_seconds=COUNT_TTL_SECONDS,
    worth_keeping=lambda count: count >= LARGE_TABLE_ROWS,
)


def similar_patients(
    user: User | None,
    details: Mapping[str, Any],
    *,
    channel: str,
    seen: Collection[UUID] = (),
    changed_id: UUID | None = None,
    before: Mapping[str, Any] | None = None,
) -> list[tuple[Patient, Match]]:
    """Returns the possible duplicates of these validated details, each with its match, best first.

    While a patient is changed, `changed_id` is its id: then only patients count who match better
    than they did `before`, and whose pair with it was not dismissed. Records access to all but the
    patients whom the user has `seen` a moment ago.
    """
    visible = patients_visible_to(user)
    if changed_id:
        visible = exclude_dismissed(visible, changed_id)
    matches = find_matches(visible, details, before=before)
    by_id = visible.in_bulk([match.patient_id for match in matches])
    unseen = [patient_id for patient_id in by_id if patient_id not in seen]
    record_access(user, unseen, action="similar", channel=channel)
    return [(by_id[match.patient_id], match) for match in matches if match.patient_id in by_id]


def patients_by_id(
    user: User | None, patient_ids: Iterable[UUID], *, channel: str
) -> dict[UUID, Patient]:
    """Returns those that the user may see, for a list that names patients; records access."""
    found = patients_visible_to(user).in_bulk(list(patient_ids))
    record_access(user, found, action="list", channel=channel)
    return found


def patients_with_identifiers(pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], UUID]:
    """Returns the patient who holds each (system, value) pair, in one query; normalises values."""
    wanted = {(system, identifier_value(value)) for system, value in pairs}
    if not wanted:
        return {}
    values = [list(column) for column in zip(*wanted, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(_HOLDERS, values)
        return {(system, value): holder for system, value, holder in cursor.fetchall()}


def every_patient(
    user: User | None, *, channel: str, text: str = "", filters: PatientFilters | None = None
) -> Iterator[Patient]:
    """Yields all patients that match exactly, for a file; records access page by page.

    All of them, with their identifiers, are as they were at one moment, whatever others change
    meanwhile: one statement reads them. PostgreSQL keeps its rows in a cursor that outlives the
    transaction, so that access is recorded before each page leaves, memory stays bounded, and a
    slow reader holds no transaction open. The same statement counts the patients.
    IncompleteExport if another number of patients was read.

    Approximate hits are left out: on a page the user judges them, in a file the record of another
    person would leave the clinic.
    """
    patients = filter_patients(user, filters)
    found = find_exact_patients(patients, text)
    count = found.order_by().annotate(all=Value(1)).values("all").annotate(count=Count("*"))
    found = found.defer(*_SEARCH_KEYS)
    read = found.annotate(expected=Subquery(count.values("count")), held=_IDENTIFIER_ROWS)
    rows = read.iterator(chunk_size=EXPORT_PAGE)
    done = expected = 0
    while page := list(islice(rows, EXPORT_PAGE)):
        record_access(user, [row.pk for row in page], action="export", channel=channel)
        expected = page[-1].expected
        for row in page:
            _set_identifiers(row, row.held)
            yield row
        done += len(page)
    if done != expected:
        message = f"{done:,} of {expected:,} patients were exported. Export them again."
        raise IncompleteExport(message)


# No file holds them.
_SEARCH_KEYS = ("name_words", "given_key", "name_key", "phone_tail", "second_phone_tail")
_IDENTIFIER_COLUMNS = ("system", "value", "valid_from", "valid_to")
_IDENTIFIER_ROWS = ArraySubquery(
    PatientIdentifier.objects.filter(patient=OuterRef("pk"))
    .order_by("system", "value")
    .values(row=JSONObject(**{name: name for name in _IDENTIFIER_COLUMNS}))
)
# In the model's order, as `from_db` wants them.
_HELD_COLUMNS = [
    field.attname
    for field in PatientIdentifier._meta.concrete_fields
    if field.attname in _IDENTIFIER_COLUMNS
]
_NEVER_SENT = PatientIdentifier.objects.all().query  # Of identifiers that are read already.


def _set_identifiers(patient: Patient, rows: list[dict[str, str | None]]) -> None:
    """Gives the patient these identifiers, as prefetch_related does, which would read them anew.

    Their days are texts, as JSON has them and files write them.
    """
    # A query of its own for each patient would take as long as all the rest.
    identifiers: QuerySet[PatientIdentifier] = QuerySet(PatientIdentifier, query=_NEVER_SENT)
    identifiers._result_cache = [
        PatientIdentifier.from_db(None, _HELD_COLUMNS, [row[name] for name in _HELD_COLUMNS])
        for row in rows
    ]
    cache = {"identifiers": identifiers}
    patient._prefetched_objects_cache = cache  # type: ignore[attr-defined]  # Django's own name.


def filter_patients(user: User | None, filters: PatientFilters | None) -> QuerySet[Patient]:
    """Returns the patients of a list that this user may see, not yet searched."""
    filters = filters or PatientFilters()
    exact = {"date_of_birth": filters.date_of_birth, "sex": filters.sex, "status": filters.status}
    bounds = {
        "registered_on__gte": filters.registered_from,
        "registered_on__lte": filters.registered_to,
    }
    given = {name: value for name, value in {**exact, **bounds}.items() if value}
    patients = patients_visible_to(user).filter(**given)
    if not filters.status:
        # Another record stands for the person of a merged one.
        patients = patients.exclude(status=Status.MERGED)
    if filters.identifier:
        system, _, value = filters.identifier.rpartition("|")
        held = PatientIdentifier.objects.filter(value=identifier_value(value))
        held = held.filter(system=system) if system else held
        patients = patients.filter(pk__in=held.values("patient_id"))
    return patients
