"""A change of the log in the words of the pages: labels for fields, dates and choices spelt out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from portal.patients.extensions import TimelineEvent
from portal.patients.history.log import Change, HeldIdentifier, LoggedMerge, PastRecord
from portal.patients.models import Patient, Precision, Sex, Source, Status
from portal.patients.reference.countries import country_name, language_name
from portal.patients.reference.identifier_systems import system_name, validity
from portal.patients.templatetags.patients import BY_PRECISION, source_name

NOT_RECORDED = "Not recorded"
NAMED = 4  # Fields that a title names one by one.
_OF_THE_MACHINE = {
    "id",
    "version",
    "created_at",
    "updated_at",
    "phone_e164",
    "merged_into_id",
}  # The last has words.
_TAKEN_AS_READ = {("date_of_birth_precision", "day"), ("status", "active")}
_CHOICES = {"sex": Sex, "status": Status, "source": Source, "date_of_birth_precision": Precision}
_DATES = {"date_of_birth", "deceased_on", "registered_on"}
_LABELS = {
    "address_line1": "address line 1",
    "address_line2": "address line 2",
    "date_of_birth_precision": "date of birth known to the",
    "preferred_name": "likes to be called",
    "deceased_on": "died on",
    "source": "came by",
}
_IN_ORDER = [
    "mrn", "family_name", "given_name", "middle_name", "preferred_name", "prefix", "suffix", "date_of_birth", "sex",
    "deceased_on", "phone", "email", "address_line1", "address_line2", "city", "region", "postal_code", "country",
    "language", "marital_status", "race", "ethnicity", "registered_on", "source", "status",
]  # fmt: skip
_CODES = {"country": country_name, "language": language_name}
_STATUS_TITLES = {
    ("active", "archived"): "Archived",
    ("archived", "active"): "Restored",
    ("active", "merged"): "Merged into another record",
}


def describe_change(change: Change) -> Change:
    """The same change with `fields` as people read them, identifiers among them."""
    is_first = change.kind == "insert"
    before, after = change.precisions
    told_by_the_date = (
        {"date_of_birth_precision"}
        if any(name == "date_of_birth" for name, _, _ in change.fields)
        else set()
    )
    fields = [
        (
            field_label(name),
            "" if is_first else field_text(name, old, before),
            field_text(name, new, after),
        )
        for name, old, new in change.fields
        if name not in _OF_THE_MACHINE | told_by_the_date
        and not (is_first and (name, new) in _TAKEN_AS_READ)
    ]
    fields += [*_identifiers(change), *_merge(change)]
    if not fields and change.is_mended:
        fields = [("What was changed", "Not known", "Not known")]
    elif not fields and not is_first:  # Before their log was kept.
        fields = [("Identifiers", "Not kept", "Changed")]
    return replace(change, fields=fields)


def timeline_event(change: Change) -> TimelineEvent:
    """The same change as one line of the timeline."""
    told = describe_change(change)
    details = [
        _in_one_line(*row) for row in told.fields if row not in _merge(change)
    ]  # The title says that.
    if change.kind == "insert":
        details = (
            [f"Registered although a similar person was here: {change.reason}"]
            if change.reason
            else []
        )
    if change.merge and change.merge.words:
        details.insert(0, f"Because: {change.merge.words}")
    if change.is_mended:
        details.append("Written into the log afterwards; who changed it is not known")
    channel = source_name(change.source) if change.source else ""
    return TimelineEvent(
        change.at, _title(change, told), details, change.actor, channel, change.version
    )


@dataclass(frozen=True)
class ComparedField:
    """One fact of a record as it was, beside the same fact today."""

    label: str
    then: str
    now: str

    @property
    def differs(self) -> bool:
        return self.then != self.now


def compare_with_today(state: PastRecord, patient: Patient) -> list[ComparedField]:
    """Every fact of the record as it was, and as it is."""
    then, now = _facts(state.patient), _facts(patient)
    rows = [ComparedField(label, then[label], now[label]) for label in then]
    held = [HeldIdentifier.of(one) for one in patient.identifiers.all()]
    systems = sorted({one.system for one in [*state.identifiers, *held]})
    return rows + [
        ComparedField(system_name(one), _held(one, state.identifiers), _held(one, held))
        for one in systems
    ]


def _facts(patient: Patient) -> dict[str, str]:
    facts = {}
    for name in _IN_ORDER:
        value = getattr(patient, name)
        facts[field_label(name)] = field_text(
            name, "" if value is None else str(value), patient.date_of_birth_precision
        )
    return facts


def field_label(name: str) -> str:
    """A column's name as the pages print it."""
    label = _LABELS.get(name) or str(getattr(Patient._meta.get_field(name), "verbose_name", name))
    return label[0].upper() + label[1:]


def field_text(name: str, value: Any, precision: str = "") -> str:
    """A column's value, given as text, as the pages print it; `precision` is that of a date of birth."""
    if value == "":
        return NOT_RECORDED
    if name in _CHOICES:
        return str(_CHOICES[name](value).label)
    if name in _CODES:
        return _CODES[name](str(value))
    if name in _DATES:
        shape = BY_PRECISION.get(precision if name == "date_of_birth" else "", BY_PRECISION["day"])
        return date.fromisoformat(value).strftime(shape)
    return str(value)


def _title(change: Change, told: Change) -> str:
    if change.kind == "insert":
        return "Registered"
    if change.merge:
        return _merge_title(change.merge)
    status = next(((old, new) for name, old, new in change.fields if name == "status"), None)
    if status:
        return _STATUS_TITLES.get(status, "Changed status")
    return f"Changed {_listed([_in_a_sentence(label) for label, _, _ in told.fields])}"


def _in_one_line(label: str, old: str, new: str) -> str:
    if old == NOT_RECORDED:
        return f"{label} added: {new}"
    return f"{label} removed: {old}" if new == NOT_RECORDED else f"{label}: {old} → {new}"


def _listed(words: Sequence[str]) -> str:
    if len(words) > NAMED:
        words = [*words[: NAMED - 1], f"{len(words) - NAMED + 1} more fields"]
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _in_a_sentence(label: str) -> str:
    return label if label[1:2].isupper() else label[0].lower() + label[1:]


def _identifiers(change: Change) -> list[tuple[str, str, str]]:
    systems = dict.fromkeys(one.system for one in [*change.lost, *change.got])
    return [(system_name(one), _held(one, change.lost), _held(one, change.got)) for one in systems]


def _merge(change: Change) -> list[tuple[str, str, str]]:
    """A row for the other record, so that a merge which changed no value is told as well."""
    if change.merge is None:
        return []
    label = "Merged into it" if change.merge.is_of_survivor else "Merged into"
    other = f"MRN {change.merge.other}"
    return [(label, other, "Taken back") if change.merge.is_undone else (label, "–", other)]


def _merge_title(merge: LoggedMerge) -> str:
    if merge.is_undone:
        return f"Merge of MRN {merge.other} undone" if merge.is_of_survivor else "Merge undone"
    if merge.is_of_survivor:
        return f"Merged MRN {merge.other} into this record"
    return f"Merged into MRN {merge.other}"


def _held(system: str, identifiers: Sequence[HeldIdentifier]) -> str:
    return (
        ", ".join(_with_its_days(one) for one in identifiers if one.system == system)
        or NOT_RECORDED
    )


def _with_its_days(one: HeldIdentifier) -> str:
    days = validity(one.valid_from, one.valid_to)
    return f"{one.value} ({days})" if days else one.value
