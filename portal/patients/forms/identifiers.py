"""The rows of a patient's identifiers in a form: kind, number, and the days between which it is valid."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms

from portal.patients.forms.fields import DayField
from portal.patients.reference.identifier_systems import SYSTEMS, validity
from portal.patients.validation import ENDS_BEFORE_IT_BEGINS, VALIDITY, ends_before_it_begins

BLANK_ROWS = 1
PARTS = ("system", "value", "from", "to")
WORDS = ("system", "value", *VALIDITY)  # The same, as `clean_details` calls them.


def text(label: str, width: str = "", **attrs: str) -> forms.CharField:
    """A line of text. Staff type other people's details here, so the browser offers nobody's."""
    css = f"nhsuk-input--width-{width}" if width else ""
    attrs = {"autocomplete": "off", "spellcheck": "false", "class": css, **attrs}
    return forms.CharField(label=label, required=False, widget=forms.TextInput(attrs=attrs))


@dataclass(frozen=True)
class Row:
    """The four boxes of one identifier, in the order in which the page shows them."""

    kind: forms.BoundField
    value: forms.BoundField
    start: forms.BoundField
    end: forms.BoundField

    def __iter__(self) -> Iterator[forms.BoundField]:
        return iter((self.kind, self.value, self.start, self.end))

    @property
    def number(self) -> str:
        """What the names of its fields end in."""
        return self.kind.html_name.rpartition("_")[2]


class IdentifierRows(forms.Form):
    """A row for each identifier there is or was sent, and a blank one."""

    @property
    def rows(self) -> list[Row]:
        """The identifiers' fields, row by row."""
        count = sum(name.startswith("identifier_value_") for name in self.fields)
        return [Row(*(self[f"identifier_{part}_{row}"] for part in PARTS)) for row in range(count)]

    def add_rows(self) -> None:
        """Before anything is read: each row has fields of its own."""
        there = self.data if self.is_bound else self.initial
        count = sum(name.startswith("identifier_value_") for name in there)
        for row in range(count if self.is_bound else count + BLANK_ROWS):
            self._add_row(row)

    def _add_row(self, row: int) -> None:
        """A system that is none of ours (an import's URI) stays choosable on the row that has it."""
        name = f"identifier_system_{row}"
        there = self.data.get(name) or self.initial.get(name) or ""
        choices = {"": "Choose", **SYSTEMS, **({there: SYSTEMS.get(there, there)} if there else {})}
        number = "" if row == 0 else f" {row + 1}"
        self.fields[name] = forms.ChoiceField(
            label=f"Kind of identifier{number}", choices=[*choices.items()], required=False
        )
        self.fields[f"identifier_value_{row}"] = text(f"Identifier{number}")
        self.fields[f"identifier_from_{row}"] = DayField(
            label=f"Valid from{number}", required=False
        )
        self.fields[f"identifier_to_{row}"] = DayField(label=f"Valid to{number}", required=False)

    def check_rows(self, given: Mapping[str, Any]) -> None:
        """What is missing or wrong in a row stands beside the box where it is mended."""
        for row in self.rows:
            kind, value, start, end = (given.get(field.name) for field in row)
            if value and not kind:
                self.add_error(row.kind.name, "Choose the kind of identifier.")
            elif not value and (kind or start or end):
                self.add_error(row.value.name, "Enter the identifier, or empty its row.")
            if ends_before_it_begins(start, end):
                self.add_error(row.end.name, ENDS_BEFORE_IT_BEGINS)

    def identifiers(self, given: Mapping[str, Any]) -> list[dict[str, Any]] | None:
        """In the words of `clean_details`; None while a row has a fault of its own."""
        if any(name.startswith("identifier_") for name in self.errors):
            return None
        rows = [
            dict(zip(WORDS, (given.get(field.name) for field in row), strict=True))
            for row in self.rows
        ]
        return [row for row in rows if row["value"]]

    def validities(self) -> dict[str, str]:
        """How each row's days were understood, by the row's number; empty where there is none, or it is faulty."""
        given = getattr(self, "cleaned_data", {})
        words = {
            row.number: validity(given.get(row.start.name), given.get(row.end.name))
            for row in self.rows
        }
        return {number: text[:1].upper() + text[1:] for number, text in words.items()}
