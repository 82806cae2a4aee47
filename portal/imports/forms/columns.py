"""The forms of columns: what they become, their encoding, and a name to save them under."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django import forms

from portal.imports.readers.columns import can_name_a_patient
from portal.imports.readers.encodings import CHOICES as ENCODINGS
from portal.imports.readers.survey import DATES
from portal.imports.readers.targets import GROUPS, LABELS
from portal.imports.readers.values import MAPPED, are_english_codes, guess_meanings, value_key
from portal.patients.columns import choices_of
from portal.patients.dates import DateOrder, clinic_order

LEAVE_EMPTY = "empty"
REFUSE = ("", "Not known: refuse its rows")
DATE_ORDERS = [
    (DateOrder.DAY_FIRST.value, "The day stands first: this is 3 April 1984"),
    (DateOrder.MONTH_FIRST.value, "The month stands first: this is March 4, 1984"),
]
LEAVE_OUT = ("", "Leave out")


class ValueField(NamedTuple):
    """The form's field for one value of a column."""

    name: str
    column: str
    value: str


class ColumnsForm(forms.Form):
    """A choice for each column of a header, by position: `c0`, `c1` …

    Below them a choice for each value of a column that becomes a field of few values (`v3_0` is the
    first value of column 3), and the order of day and month where the file leaves it open.
    """

    use_required_attribute = False

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        header: Sequence[str],
        mapping: Sequence[str] = (),
        facts: Sequence[Mapping[str, Any]] = (),
        values: Mapping[str, Mapping[str, str]] | None = None,
        date_order: str = "",
    ) -> None:
        initial = {f"c{index}": name for index, name in enumerate(mapping)}
        super().__init__(data, initial=initial)
        self.facts = facts or [{"values": [], "dates": []} for _ in header]
        self.names = [f"c{index}" for index in range(len(header))]
        for name, title in zip(self.names, header, strict=True):
            self.fields[name] = forms.ChoiceField(
                label=title or "Column without a name",
                required=False,
                choices=[LEAVE_OUT, *GROUPS],
                error_messages={"invalid_choice": "Choose one of the list."},
            )
        self.fields["profile_name"] = forms.CharField(
            label="Save these columns as (optional)",
            required=False,
            max_length=80,
            help_text="The next file with this header gets them by itself.",
        )
        self.value_fields: list[ValueField] = []
        self.unseen: set[str] = set()
        self._add_values(values or {})
        orders = {order for facts in self._dates() for order in facts}
        self.proven_order = next(iter(orders - {"both"}), "") if len(orders - {"both"}) == 1 else ""
        self.asks_for_order = orders == {"both"}
        if self.asks_for_order:
            self.fields["date_order"] = forms.ChoiceField(
                label="Dates such as 3/4/1984",
                choices=DATE_ORDERS,
                required=False,
                initial=date_order or clinic_order(),
                widget=forms.RadioSelect(attrs={"class": "nhsuk-radios--small"}),
            )

    @property
    def mapping(self) -> list[str]:
        """The field that each column becomes; "" for none, or for one that is not in the list."""
        chosen = [self[name].value() for name in self.names]
        return [field if field in LABELS else "" for field in chosen]

    @property
    def values(self) -> dict[str, dict[str, str]]:
        """The meaning of each value, by field; the values that mean nothing have an empty one.

        Codes of English that keep their meaning are left out: further down in the file there may be
        another code, and then nobody has seen all of them.
        """
        meanings: dict[str, dict[str, str]] = {}
        for field in self.value_fields:
            chosen = self[field.name].value()
            if chosen:
                meaning = "" if chosen == LEAVE_EMPTY else chosen
                meanings.setdefault(field.column, {})[value_key(field.value)] = meaning
        return {
            column: chosen
            for column, chosen in meanings.items()
            if not (are_english_codes(chosen) and chosen == guess_meanings(chosen))
        }

    @property
    def date_order(self) -> str:
        """The order of day and month, where it was asked for."""
        return self.cleaned_data.get("date_order", "") if self.asks_for_order else ""

    def _add_values(self, meanings: Mapping[str, Mapping[str, str]]) -> None:
        """Adds a choice for each value, with what it was said to mean, else with a guess."""
        for index, column in enumerate(self.mapping):
            found = self.facts[index]["values"] if column in MAPPED else []
            guesses = guess_meanings(found)
            for place, value in enumerate(found):
                name = f"v{index}_{place}"
                known = meanings.get(column, {}).get(value_key(value))
                guess = guesses[value_key(value)] if known is None else known or LEAVE_EMPTY
                guess = "" if guess == "?" else guess
                self.fields[name] = forms.ChoiceField(
                    label=value,
                    choices=[REFUSE, *choices_of(column), (LEAVE_EMPTY, "Leave empty")],
                    required=False,
                    initial=guess,
                )
                self.value_fields.append(ValueField(name, column, value))
                if self.is_bound and name not in self.data:
                    self.data = dict(self.data.items()) | {name: guess}
                    if not are_english_codes(found):
                        self.unseen.add(LABELS[column].lower())

    def _dates(self) -> list[list[str]]:
        columns = zip(self.mapping, self.facts, strict=True)
        return [facts["dates"] for column, facts in columns if column in DATES]

    def clean(self) -> dict[str, Any]:
        """Checks that no field is chosen twice, and that a row can name a patient."""
        mapping = self.mapping
        for label in sorted(self.unseen):
            raise forms.ValidationError(f"Look at what the values of the {label} mean, below.")
        for index, field in enumerate(mapping):
            if field and field in mapping[:index]:
                other = self.fields[self.names[mapping.index(field)]].label
                advice = "Choose one of them and leave the other out."
                message = f"“{other}” becomes “{LABELS[field]}” too. {advice}"
                self.add_error(self.names[index], message)
        if not can_name_a_patient(mapping):
            raise forms.ValidationError(
                "No column becomes a name or an identifier. Choose at least one."
            )
        return self.cleaned_data


class EncodingForm(forms.Form):
    """The encoding in which a CSV file is read."""

    use_required_attribute = False

    encoding = forms.ChoiceField(label="Encoding", choices=ENCODINGS)


class ProfileNameForm(forms.Form):
    """A name for saved columns."""

    use_required_attribute = False

    name = forms.CharField(label="Name", max_length=80)
