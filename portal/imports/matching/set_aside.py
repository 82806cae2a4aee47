"""Values that a user set aside: corrected or emptied by hand, or not taken over in a merge.

An older file that brings such a value again must not undo what the user decided.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Q

from portal.patients.entered_identifiers import VALIDITY
from portal.patients.fields import ENTERED
from portal.patients.matching.rules import IdentifierKey
from portal.patients.models import IdentifierChange, Patient, PatientEvent
from portal.patients.models.log import DELETED
from portal.patients.models.patient import LONGEST_CHAIN
from portal.patients.normalize import e164, fold

Validity = tuple[date | None, date | None]  # The first and the last day of an identifier.
Log = list[dict[str, Any]]  # Rows of the event log of one patient, the oldest first.
_BLANK = ("", None, "unknown")
_EMPTY = dict.fromkeys(ENTERED)


@dataclass
class SetAside:
    """What was set aside in one record: comparable values by field, and identifiers."""

    values: defaultdict[str, set[Any]] = field(default_factory=lambda: defaultdict(set))
    identifiers: set[IdentifierKey] = field(default_factory=set)

    def has_value(self, name: str, value: Any, country: str) -> bool:
        return _comparable(name, value, country) in self.values[name]


def split_changes(
    changes: dict[str, Any],
    set_aside: SetAside,
    *,
    held: Mapping[IdentifierKey, Validity],
    country: str = "",
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns the changes to write, and those that would bring back what was set aside.

    `held` are the identifiers that the patient has, with their days, and `country` is where the
    patient lives: a phone may be typed as it is dialled there.
    """
    written, held_back = dict(changes), {}
    country = changes.get("country") or country
    for name, value in changes.items():
        is_told_apart = name in ("identifiers", "date_of_birth_precision")
        if not is_told_apart and set_aside.has_value(name, value, country):
            held_back[name] = written.pop(name)
    if "date_of_birth" in held_back:
        held_back["date_of_birth_precision"] = written.pop("date_of_birth_precision")
    identifiers = changes.get("identifiers", [])
    kept = [pair for pair in identifiers if _is_set_aside(pair, set_aside, held)]
    if kept:
        held_back["identifiers"] = kept
        others = [pair for pair in identifiers if pair not in kept]
        stay = [{"system": system, "value": value} for system, value in map(identifier_key, kept)]
        written["identifiers"] = others + [pair for pair in stay if identifier_key(pair) in held]
        if not any(_is_change(pair, held) for pair in others):
            del written["identifiers"]
    return written, held_back


def identifier_key(identifier: Mapping[str, Any]) -> IdentifierKey:
    """Returns system and value."""
    return identifier["system"], identifier["value"]


def names_other_days(identifier: Mapping[str, Any], held: Validity) -> bool:
    """Tells whether a row gives this identifier of a patient other days; unnamed ones stay."""
    days = zip(VALIDITY, held, strict=True)
    return any(name in identifier and identifier[name] != day for name, day in days)


def _is_change(identifier: Mapping[str, Any], held: Mapping[IdentifierKey, Validity]) -> bool:
    days = held.get(identifier_key(identifier))
    return days is None or names_other_days(identifier, days)


def _is_set_aside(
    identifier: Mapping[str, Any], set_aside: SetAside, held: Mapping[IdentifierKey, Validity]
) -> bool:
    """Tells whether a person removed this identifier, or set its days."""
    is_by_person = identifier_key(identifier) in set_aside.identifiers
    return is_by_person and _is_change(identifier, held)


def find_set_aside(patient_ids: Iterable[UUID]) -> dict[UUID, SetAside]:
    """Returns what was set aside in these records, by a few queries; others are not in it."""
    ids = _changed_by_people(set(patient_ids))
    if not ids:
        return {}
    survivors = _merged_records(ids)
    logs = _read_logs({*ids, *survivors})
    found = {patient_id: SetAside() for patient_id in ids}
    for patient_id in ids:
        _add_replaced_values(found[patient_id], logs[patient_id])
    for merged_id, survivor_id in survivors.items():
        had = _values_seen(logs[survivor_id])
        for name, values in _values_seen(logs[merged_id]).items():
            # What the survivor had itself is set aside only where a person replaced it there.
            found[survivor_id].values[name] |= values - had[name]
    _add_removed_identifiers(found, logs)
    return found


def _changed_by_people(patient_ids: set[UUID]) -> set[UUID]:
    """Returns those whom a person changed after they were registered: few, in a large import."""
    changes = PatientEvent.objects.filter(pgh_obj__in=patient_ids, version__gt=1)
    by_import = Q(pgh_context__has_key="import_job") | Q(pgh_context__has_key="import_undo")
    by_people = changes.exclude(pgh_label=DELETED).exclude(by_import)
    return set(by_people.order_by().values_list("pgh_obj_id", flat=True))


def _read_logs(patient_ids: set[UUID]) -> defaultdict[UUID, Log]:
    logs: defaultdict[UUID, Log] = defaultdict(list)
    events = PatientEvent.objects.filter(pgh_obj__in=patient_ids).exclude(pgh_label=DELETED)
    columns = ("pgh_obj_id", "version", "pgh_context", *ENTERED)
    for event in events.order_by("version").values(*columns):
        logs[event["pgh_obj_id"]].append(event)
    return logs


def _merged_records(survivor_ids: set[UUID]) -> dict[UUID, UUID]:
    """Returns the records merged into these, also through others, each with its survivor."""
    found: dict[UUID, UUID] = {}
    survivor_of = {survivor_id: survivor_id for survivor_id in survivor_ids}
    for _ in range(LONGEST_CHAIN):
        records = Patient.objects.filter(merged_into__in=survivor_of).order_by()
        pairs = records.values_list("pk", "merged_into")
        survivor_of = {merged_id: survivor_of[into] for merged_id, into in pairs if into}
        if not survivor_of:
            break
        found |= survivor_of
    return found


def _is_by_person(event: dict[str, Any]) -> bool:
    """Tells whether a person made this change: no import did, nor the undo of one."""
    context = event["pgh_context"] or {}
    return "import_job" not in context and "import_undo" not in context


def _values_seen(log: Log) -> defaultdict[str, set[Any]]:
    seen: defaultdict[str, set[Any]] = defaultdict(set)
    for event in log:
        for name in ENTERED:
            if event[name] not in _BLANK:
                seen[name].add(_comparable(name, event[name], event["country"]))
    return seen


def _add_replaced_values(set_aside: SetAside, log: Log) -> None:
    """Adds, of each field that a person changed, all values that it had before."""
    seen: defaultdict[str, set[Any]] = defaultdict(set)
    previous = _EMPTY
    for event in log:
        for name in ENTERED:
            if event[name] == previous[name]:
                continue
            if previous is not _EMPTY and _is_by_person(event):
                set_aside.values[name] |= seen[name]
            if event[name] not in _BLANK:
                seen[name].add(_comparable(name, event[name], event["country"]))
        previous = event


def _add_removed_identifiers(found: dict[UUID, SetAside], logs: dict[UUID, Log]) -> None:
    by_people = {
        (patient_id, event["version"])
        for patient_id in found
        for event in logs[patient_id]
        if _is_by_person(event)
    }
    removed = IdentifierChange.objects.filter(patient_id__in=found, is_added=False)
    columns = ("patient_id", "version", "system", "value")
    for patient_id, version, system, value in removed.values_list(*columns):
        if (patient_id, version) in by_people:
            found[patient_id].identifiers.add((system, value))


def _comparable(name: str, value: Any, country: str) -> Any:
    """Returns the value so that another spelling of it is the same."""
    if not isinstance(value, str):
        return value
    if name == "phone":
        return e164(value, country) or "".join(filter(str.isdigit, value)) or value
    if name == "email":
        return value.casefold()
    return fold(value) or value
