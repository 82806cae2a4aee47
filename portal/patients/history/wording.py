"""The log in the words of the pages: labels of fields, dates and choices, one line per change."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from django.db.models import CharField

from portal.patients.extensions import TimelineEvent
from portal.patients.fields import FIELD_OF, Kind, fields_on_pages
from portal.patients.history.log import Change, HeldIdentifier, PastRecord
from portal.patients.history.merges import LoggedMerge
from portal.patients.models import Patient
from portal.patients.reference.countries import country_name, language_name
from portal.patients.reference.identifier_systems import system_name, validity
from portal.patients.templatetags.patients import DATE_FORMATS, channel_name
from portal.stored_dates import date_from_text

NOT_RECORDED = "Not recorded"
MAX_IN_TITLE = 4  # fields; a title counts the rest
# A registration does not list these values.
_DEFAULTS = {("date_of_birth_precision", "day"), ("status", "active")}
_STATUS_TITLES = {
    ("active", "archived"): "Archived",
    ("archived", "active"): "Restored",
    ("active", "merged"): "Merged into another record",
}


def describe_change(change: Change) -> Change:
    """Returns the change with its `fields` as people read them, identifiers and merges included."""
    is_first = change.kind == "insert"
    before, after = change.birth_precisions
    names = {name for name, _, _ in change.fields}
    fields = []
    for name, old, new in change.fields:
        is_in_date = name == "date_of_birth_precision" and "date_of_birth" in names
        if is_in_date or not _is_on_pages(name) or (is_first and (name, new) in _DEFAULTS):
            continue
        old_text = "" if is_first else field_text(name, old, before)
        fields.append((field_label(name), old_text, field_text(name, new, after)))
    fields += [*_identifier_fields(change), *_merge_fields(change)]
    if not fields and change.is_repaired:
        fields = [("What was changed", "Not known", "Not known")]
    elif not fields and not is_first:  # The identifiers' log is younger than the portal.
        fields = [("Identifiers", "Not kept", "Changed")]
    return replace(change, fields=fields)


def timeline_event(change: Change) -> TimelineEvent:
    """Returns the change as one entry of the timeline."""
    described = describe_change(change)
    details = []
    if change.merge and change.merge.reason:
        details.append(f"Because: {change.merge.reason}")
    if change.kind != "insert":
        in_title = _merge_fields(change)
        details += [_in_one_line(*row) for row in described.fields if row not in in_title]
    elif change.override_reason:
        details.append(f"Registered although a similar person was here: {change.override_reason}")
    if change.is_repaired:
        details.append("Written into the log afterwards; who changed it is not known")
    return TimelineEvent(
        change.at,
        _title(change, described),
        details,
        change.actor,
        channel_name(change.source) if change.source else "",
        change.version,
    )


@dataclass(frozen=True)
class ComparedField:
    """One field of a record as it was, beside the same field today."""

    label: str
    then: str
    now: str

    @property
    def differs(self) -> bool:
        return self.then != self.now


def compare_with_today(past: PastRecord, patient: Patient) -> list[ComparedField]:
    """Returns every field of the record, then and today, and the identifiers by their kind."""
    rows = [
        ComparedField(
            field.label, _text_of(past.patient, field.name), _text_of(patient, field.name)
        )
        for field in fields_on_pages()
    ]
    today = [HeldIdentifier.from_row(row) for row in patient.identifiers.all()]
    for system in sorted({identifier.system for identifier in [*past.identifiers, *today]}):
        then, now = _values(system, past.identifiers), _values(system, today)
        rows.append(ComparedField(system_name(system), then, now))
    return rows


def field_label(name: str) -> str:
    """Returns a column's name as the pages print it."""
    return FIELD_OF[name].label


def field_text(name: str, value: Any, precision: str = "") -> str:
    """Returns a column's value, given as text, as the pages print it.

    `precision` is how far a date of birth is known.
    """
    if value == "":
        return NOT_RECORDED
    match FIELD_OF[name].kind:
        case Kind.CHOICE:
            column = cast("CharField[str, str]", Patient._meta.get_field(name))
            return str(dict(column.flatchoices)[value])
        case Kind.COUNTRY:
            return country_name(value)
        case Kind.LANGUAGE:
            return language_name(value)
        case Kind.DATE:
            known_to = precision if name == "date_of_birth" and precision else "day"
            return date_from_text(value).strftime(DATE_FORMATS[known_to])
    return str(value)


def _is_on_pages(name: str) -> bool:
    """Returns whether people are told of the column; a merge has words of its own."""
    field = FIELD_OF[name]
    return bool(field.order) or field.kind is not Kind.SYSTEM


def _text_of(patient: Patient, name: str) -> str:
    value = getattr(patient, name)
    text = "" if value is None else str(value)
    return field_text(name, text, patient.date_of_birth_precision)


def _title(change: Change, described: Change) -> str:
    if change.kind == "insert":
        return "Registered"
    if change.merge:
        return _merge_title(change.merge)
    for name, old, new in change.fields:
        if name == "status":
            return _STATUS_TITLES.get((old, new), "Changed status")
    return f"Changed {_listed([_in_a_sentence(label) for label, _, _ in described.fields])}"


def _merge_title(merge: LoggedMerge) -> str:
    if merge.is_undone:
        return f"Merge of MRN {merge.other_mrn} undone" if merge.is_of_survivor else "Merge undone"
    if merge.is_of_survivor:
        return f"Merged MRN {merge.other_mrn} into this record"
    return f"Merged into MRN {merge.other_mrn}"


def _merge_fields(change: Change) -> list[tuple[str, str, str]]:
    """Returns a row for the other record, so that a merge that changed no value has one too."""
    if change.merge is None:
        return []
    label = "Merged into it" if change.merge.is_of_survivor else "Merged into"
    other = f"MRN {change.merge.other_mrn}"
    return [(label, other, "Undone") if change.merge.is_undone else (label, "–", other)]


def _identifier_fields(change: Change) -> list[tuple[str, str, str]]:
    systems = dict.fromkeys(row.system for row in [*change.removed, *change.added])
    return [
        (system_name(system), _values(system, change.removed), _values(system, change.added))
        for system in systems
    ]


def _values(system: str, identifiers: Sequence[HeldIdentifier]) -> str:
    """Returns the values of one kind of identifier, with the days of their validity."""
    texts = []
    for identifier in identifiers:
        if identifier.system == system:
            days = validity(identifier.valid_from, identifier.valid_to)
            texts.append(f"{identifier.value} ({days})" if days else identifier.value)
    return ", ".join(texts) or NOT_RECORDED


def _in_one_line(label: str, old: str, new: str) -> str:
    if old == NOT_RECORDED:
        return f"{label} added: {new}"
    return f"{label} removed: {old}" if new == NOT_RECORDED else f"{label}: {old} → {new}"


def _listed(labels: Sequence[str]) -> str:
    if len(labels) > MAX_IN_TITLE:
        rest = len(labels) - MAX_IN_TITLE + 1
        labels = [*labels[: MAX_IN_TITLE - 1], f"{rest} more fields"]
    return " and ".join(filter(None, (", ".join(labels[:-1]), labels[-1])))


def _in_a_sentence(label: str) -> str:
    is_abbreviation = label[1:2].isupper()
    return label if is_abbreviation else label[0].lower() + label[1:]
