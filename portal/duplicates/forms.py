"""Two records of one person beside each other, field by field, with the value that would stay."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms

from portal.duplicates.merge import LONGEST_REASON
from portal.duplicates.merge_fields import MERGE_FIELDS, differing_fields, is_blank
from portal.patients.history.wording import NOT_RECORDED, label_of, worded
from portal.patients.models import Patient, Status


@dataclass(frozen=True)
class MergeValue:
    """What one record says, whether it is the one to stay, and the record's id."""

    text: str
    record: UUID
    mrn: str
    is_chosen: bool

    @property
    def is_blank(self) -> bool:
        return self.text == NOT_RECORDED


@dataclass(frozen=True)
class MergeLine:
    """One choice: the values of the two records in their order on the page."""

    choice: str
    label: str
    values: list[MergeValue]
    differs: bool


class MergeForm(forms.Form):
    """Why, and the versions that the person looked at; the choices of values are radios of the lines."""

    use_required_attribute = False

    reason = forms.CharField(
        label="Reason",
        help_text="How you know, such as: insurance card and photo seen. It is kept in the history.",
        max_length=LONGEST_REASON,
        error_messages={"required": "Say in a few words how you know that this is one person."},
        widget=forms.TextInput({"autocomplete": "off"}),
    )
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    into_version = forms.IntegerField(widget=forms.HiddenInput, required=False)


def default_survivor(one: Patient, other: Patient) -> Patient:
    """The one that was registered earlier, among those who may stay."""
    records = [record for record in (one, other) if record.status == Status.ACTIVE] or [one, other]
    return min(records, key=lambda record: (record.registered_on, record.created_at, record.pk))


def merge_lines(
    one: Patient, other: Patient, *, survivor: Patient, taken: Collection[str] | None = None
) -> list[MergeLine]:
    """Every choice; `taken` are those whose value comes from the other record, by default what the survivor lacks."""
    different = differing_fields(one, other)
    duplicate = other if survivor == one else one
    if taken is None:
        taken = [name for name in different if is_blank(survivor, name)]
    stays = {name: duplicate if name in taken else survivor for name in MERGE_FIELDS}
    return [
        MergeLine(
            name,
            merge_field_label(name),
            [
                MergeValue(_text(record, name), record.pk, record.mrn, stays[name] == record)
                for record in (one, other)
            ],
            name in different,
        )
        for name in MERGE_FIELDS
    ]


def merge_field_label(name: str) -> str:
    """What the pages call a choice: the parts of an address are one."""
    return "Address" if name == "address" else label_of(name)


def _text(patient: Patient, choice: str) -> str:
    if choice == "address":
        return patient.address_text or NOT_RECORDED
    value: Any = getattr(patient, choice)
    return worded(choice, "" if value is None else str(value), patient.date_of_birth_precision)
