"""What is known of the people of some rows: one look into the stores for a whole batch."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from portal.imports.matching.candidates import Candidate, Pair, PersonKey, person_key
from portal.imports.readers.rows import MRN, RECORD_ID
from portal.patients.details import FIELDS
from portal.patients.models import Patient, PatientIdentifier, Status
from portal.patients.selectors import patients_visible_to, patients_with_identifiers

COLUMNS = [name for name in FIELDS if name != "identifiers"]
DATES = {"date_of_birth", "deceased_on", "registered_on"}


@dataclass
class Person:
    """A patient as it is now: values by field name, identifiers, our own keys, and how a message may call it."""

    id: UUID
    values: dict[str, Any]
    identifiers: set[Pair]
    own_keys: set[Pair] = field(default_factory=set)
    status: str = Status.ACTIVE
    label: str = ""


@dataclass
class Known:
    """The people whom a batch may be about, found by identifier, and by name and date of birth."""

    people: dict[UUID, Person] = field(default_factory=dict)
    holders: dict[Pair, set[UUID]] = field(default_factory=dict)
    namesakes: dict[PersonKey, list[UUID]] = field(default_factory=dict)

    def add(self, person: Person) -> None:
        """Have the person found; a person added again replaces the first."""
        self.people[person.id] = person
        for pair in person.identifiers | person.own_keys:
            self.holders.setdefault(pair, set()).add(person.id)
        same = self.namesakes.setdefault(person_key(person.values), [])
        if person.status == Status.ACTIVE and person.id not in same:
            same.append(person.id)

    def holders_of(self, candidate: Candidate) -> set[UUID]:
        """The patients whom the row's identifiers name: one, or none, or several in conflict."""
        return {holder for pair in candidate.pairs for holder in self.holders.get(pair, ())}


def people_in_database(candidates: Iterable[Candidate]) -> Known:
    """The patients whom these rows may be about: four queries for any number of rows."""
    rows = list(candidates)
    pairs = {pair for row in rows for pair in row.pairs}
    ids = {UUID(value) for system, value in pairs if _is_uuid(system, value)}
    ids |= set(patients_with_identifiers(pairs).values())
    ids |= set(_patients().filter(_same_mrn(pairs) | _same_people(rows)).values_list("pk", flat=True))
    held: dict[UUID, set[Pair]] = {}
    for patient_id, *pair in PatientIdentifier.objects.filter(patient__in=ids).values_list(
        "patient", "system", "value"
    ):
        held.setdefault(patient_id, set()).add((pair[0], pair[1]))
    known = Known()
    for facts in _patients().filter(pk__in=ids).values("id", "mrn", "status", *COLUMNS):
        known.add(_person(facts, held.get(facts["id"], set())))
    return known


def _patients() -> QuerySet[Patient]:
    return patients_visible_to(None).order_by()


def _same_mrn(pairs: set[Pair]) -> Q:
    return Q(mrn__in={value for system, value in pairs if system == MRN})


def _same_people(rows: list[Candidate]) -> Q:
    names, births = {row.person[0] for row in rows} - {""}, {row.person[1] for row in rows} - {None}
    return Q(sort_key__in=names, status=Status.ACTIVE) & (Q(date_of_birth__in=births) | Q(date_of_birth=None))


def _is_uuid(system: str, value: str) -> bool:
    return system == RECORD_ID and len(value) == 32 and not set(value) - set("0123456789ABCDEF")


def _person(facts: dict[str, Any], identifiers: set[Pair]) -> Person:
    """Out of the columns; plain values, since building whole patients took most of an import's time."""
    own_keys = {(RECORD_ID, facts["id"].hex.upper()), (MRN, facts["mrn"])}
    values = {name: facts[name] for name in COLUMNS}
    return Person(facts["id"], values, identifiers, own_keys, facts["status"], f"MRN {facts['mrn']}")
