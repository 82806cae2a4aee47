"""The form of a merge: two records side by side, choice by choice, with the value that stays."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms

from portal.duplicates.merge import MAX_REASON_LENGTH
from portal.duplicates.merge_fields import MERGE_CHOICES, differing_choices, is_blank
from portal.patients.history.wording import NOT_RECORDED, field_label, field_text
from portal.patients.models import Patient, Status


@dataclass(frozen=True)
class MergeValue:
    """The value of one record, the record's id and MRN, and whether the value stays."""

    text: str
    record: UUID
    mrn: str
    is_chosen: bool

    @property
    def is_blank(self) -> bool:
        return self.text == NOT_RECORDED


@dataclass(frozen=True)
class MergeLine:
    """One choice, with the values of the two records in their order on the page."""

    choice: str
    label: str
    values: list[MergeValue]
    differs: bool


class MergeForm(forms.Form):
    """The reason, and the versions that the user saw; lines are the radio buttons of choices."""

    use_required_attribute = False

    reason = forms.CharField(
        label="Reason",
        help_text=(
            "How you know, such as: insurance card and photo seen. It is kept in the history."
        ),
        max_length=MAX_REASON_LENGTH,
        error_messages={"required": "Say in a few words how you know that this is one person."},
        widget=forms.TextInput({"autocomplete": "off"}),
    )
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    into_version = forms.IntegerField(widget=forms.HiddenInput, required=False)


def default_survivor(first: Patient, second: Patient) -> Patient:
    """Returns the record that was registered earlier, or the active one if the other is not."""
    both = [first, second]
    records = [record for record in both if record.status == Status.ACTIVE] or both
    return min(records, key=lambda record: (record.registered_on, record.created_at, record.pk))


def merge_lines(
    first: Patient, second: Patient, *, survivor: Patient, taken: Collection[str] | None = None
) -> list[MergeLine]:
    """Returns a line for every choice.

    `taken` are the choices whose value comes from the duplicate; by default, what the survivor
    lacks.
    """
    differing = differing_choices(first, second)
    duplicate = second if survivor == first else first
    if taken is None:
        taken = [choice for choice in differing if is_blank(survivor, choice)]
    lines = []
    for choice in MERGE_CHOICES:
        chosen = duplicate if choice in taken else survivor
        values = [
            MergeValue(_text(record, choice), record.pk, record.mrn, record == chosen)
            for record in (first, second)
        ]
        lines.append(MergeLine(choice, choice_label(choice), values, choice in differing))
    return lines


def choice_label(choice: str) -> str:
    """Returns what pages call a choice: the columns of an address are one."""
    return "Address" if choice == "address" else field_label(choice)


def _text(patient: Patient, choice: str) -> str:
    if choice == "address":
        return patient.address_text or NOT_RECORDED
    value: Any = getattr(patient, choice)
    return field_text(choice, "" if value is None else str(value), patient.date_of_birth_precision)
