"""What is known of the people of some rows: one look into the stores for a whole batch."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from portal.imports.matching.row import CheckedRow
from portal.imports.readers.rows import MRN, RECORD_ID
from portal.patients.matching.bulk import PeopleIndex, load_people_index
from portal.patients.matching.rules import IdentifierKey, Match, PersonKey, person_key
from portal.patients.models import Patient, PatientEvent, PatientIdentifier, Status
from portal.patients.selectors import patients_visible_to, patients_with_identifiers
from portal.patients.validation import FIELDS

COLUMNS = [name for name in FIELDS if name != "identifiers"]
DATES = {"date_of_birth", "deceased_on", "registered_on"}


@dataclass(frozen=True)
class PossibleMatch:
    """A likely match. `row` is the earlier row of this file that was about this person, 0 if there is none."""

    id: UUID
    row: int
    label: str
    match: Match

    @property
    def who(self) -> str:
        """The same for the trial and for the import, which makes the people of its earlier rows anew."""
        return f"row {self.row}" if self.row else str(self.id)

    def as_json(self) -> dict[str, Any]:
        """For the question that is asked about it, and for reports; it names no value of anybody."""
        return {
            "who": self.who,
            "label": self.label,
            "grade": self.match.grade.value,
            "reasons": [*self.match.reasons],
        }


def reason_to_hold_back(alike: Sequence[PossibleMatch]) -> str:
    """Why a row is not imported, in words."""
    first = alike[0]
    others = f" and {len(alike) - 1} more" if len(alike) > 1 else ""
    reasons = ", ".join(first.match.reasons)
    return (
        f"This may be {first.label}{others} ({reasons}). Nobody has said that it is another person."
    )


@dataclass
class KnownPatient:
    """A patient as it is now: values by field name, identifiers, our own keys, and how a message may call it."""

    id: UUID
    values: dict[str, Any]
    identifiers: set[IdentifierKey]
    own_keys: set[IdentifierKey] = field(default_factory=set)
    status: str = Status.ACTIVE
    label: str = ""
    is_undone: bool = False  # Archived because an import was undone, and by nobody since: a new import brings it back.


@dataclass
class ExistingPatients:
    """The people whom a batch may be about, found by identifier, and by name and date of birth.

    `likely` are, for each row, those on record who may be its person. `made` are those whom earlier rows of the file
    make, and `made_by` the numbers of those rows.
    """

    people: dict[UUID, KnownPatient] = field(default_factory=dict)
    holders: dict[IdentifierKey, set[UUID]] = field(default_factory=dict)
    namesakes: dict[PersonKey, list[UUID]] = field(default_factory=dict)
    likely: dict[int, list[Match]] = field(default_factory=dict)
    made: PeopleIndex = field(default_factory=PeopleIndex)
    made_by: dict[UUID, int] = field(default_factory=dict)

    def add(self, person: KnownPatient) -> None:
        """Have the person found; a person added again replaces the first."""
        self.people[person.id] = person
        for pair in person.identifiers | person.own_keys:
            self.holders.setdefault(pair, set()).add(person.id)
        same = self.namesakes.setdefault(person_key(person.values), [])
        if (person.status == Status.ACTIVE or person.is_undone) and person.id not in same:
            same.append(person.id)

    def holders_of(self, candidate: CheckedRow) -> set[UUID]:
        """The patients whom the row's identifiers name: one, or none, or several in conflict."""
        return {holder for pair in candidate.pairs for holder in self.holders.get(pair, ())}

    def make(self, patient_id: UUID, row: int, values: dict[str, Any]) -> None:
        """A row of the file makes this person, of whom later rows may be another spelling."""
        self.made.add(patient_id, values)
        self.made_by[patient_id] = row

    def alike_to(
        self, candidate: CheckedRow, earlier: Mapping[UUID, int]
    ) -> tuple[PossibleMatch, ...]:
        """Those who may be the row's person; `earlier` are the rows of this file about people on record."""
        matches = [
            *self.likely.get(candidate.row.number, ()),
            *self.made.find_strong_matches(candidate.facts),
        ]
        return tuple(self._alike(match, earlier) for match in matches)

    def _alike(self, match: Match, earlier: Mapping[UUID, int]) -> PossibleMatch:
        one, row = match.patient_id, self.made_by.get(match.patient_id, 0)
        label = f"the patient of row {row}" if row else self.people[one].label
        return PossibleMatch(one, row or earlier.get(one, 0), label, match)


def find_existing_patients(
    candidates: Iterable[CheckedRow], *, to_change: bool = False
) -> ExistingPatients:
    """The patients whom these rows may be about, in the order of their ids: a few queries for any number of rows.

    `to_change` holds them locked until the transaction ends, so that nobody's change falls between look and write.
    """
    rows = list(candidates)
    pairs = {pair for row in rows for pair in row.pairs}
    ids = {UUID(value) for system, value in pairs if _is_uuid(system, value)}
    holders = patients_with_identifiers(pairs)
    ids |= set(holders.values())
    ids |= set(
        _patients().filter(_same_mrn(pairs) | _same_people(rows)).values_list("pk", flat=True)
    )
    likely = _likely([row for row in rows if not row.pairs & holders.keys()])
    ids |= {match.patient_id for matches in likely.values() for match in matches}
    found = _patients().filter(pk__in=ids).order_by("pk")
    found = found.select_for_update() if to_change else found
    facts = list(found.values("id", "mrn", "status", "version", *COLUMNS))
    held, undone = _identifiers_of(ids), _undone(facts)
    known = ExistingPatients(likely=likely)
    for one in facts:
        known.add(_person(one, held.get(one["id"], set()), is_undone=one["id"] in undone))
    return known


def _likely(strangers: list[CheckedRow]) -> dict[int, list[Match]]:
    """For each row of nobody whose identifier we know, the patients who may be its person."""
    named = [row for row in strangers if row.person[0]]
    crowd = load_people_index([row.facts for row in named])
    return {
        row.row.number: matches
        for row in named
        if (matches := crowd.find_strong_matches(row.facts))
    }


def _identifiers_of(patient_ids: set[UUID]) -> dict[UUID, set[IdentifierKey]]:
    held: dict[UUID, set[IdentifierKey]] = {}
    rows = PatientIdentifier.objects.filter(patient__in=patient_ids).values_list(
        "patient", "system", "value"
    )
    for patient_id, system, value in rows:
        held.setdefault(patient_id, set()).add((system, value))
    return held


def _undone(facts: list[dict[str, Any]]) -> set[UUID]:
    """The archived patients whose last change was the undoing of an import."""
    archived = {one["id"]: one["version"] for one in facts if one["status"] == Status.ARCHIVED}
    if not archived:
        return set()
    undoings = PatientEvent.objects.filter(
        pgh_obj__in=archived, version__in=set(archived.values()), pgh_context__has_key="import_undo"
    )
    return {
        one
        for one, version in undoings.values_list("pgh_obj_id", "version")
        if archived[one] == version
    }


def _patients() -> QuerySet[Patient]:
    return patients_visible_to(None).order_by()


def _same_mrn(pairs: set[IdentifierKey]) -> Q:
    return Q(mrn__in={value for system, value in pairs if system == MRN})


def _same_people(rows: list[CheckedRow]) -> Q:
    names, births = {row.person[0] for row in rows} - {""}, {row.person[1] for row in rows} - {None}
    there = Q(sort_key__in=names, status__in=[Status.ACTIVE, Status.ARCHIVED])
    return there & (Q(date_of_birth__in=births) | Q(date_of_birth=None))


def _is_uuid(system: str, value: str) -> bool:
    return system == RECORD_ID and len(value) == 32 and not set(value) - set("0123456789ABCDEF")


def _person(
    facts: dict[str, Any], identifiers: set[IdentifierKey], *, is_undone: bool
) -> KnownPatient:
    """Out of the columns; plain values, since building whole patients took most of an import's time."""
    own_keys = {(RECORD_ID, facts["id"].hex.upper()), (MRN, facts["mrn"])}
    values = {name: facts[name] for name in COLUMNS}
    label = f"MRN {facts['mrn']}"
    return KnownPatient(
        facts["id"], values, identifiers, own_keys, facts["status"], label, is_undone
    )
