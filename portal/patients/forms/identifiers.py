"""The identifiers of a patient as a formset: kind, value and days of validity, row by row."""

from typing import Any, cast

from django import forms

from portal.patients.entered_dates import ENDS_BEFORE_START, ends_before_start
from portal.patients.forms.fields import DayField, text_field
from portal.patients.reference.identifier_proof import why_it_proves_nothing
from portal.patients.reference.identifier_systems import SYSTEMS, validity

BLANK_ROWS = 1  # rows below the stored identifiers for a new one, on a page that is opened


class IdentifierForm(forms.Form):
    """One identifier, with the names that `validate_details` uses; a row may stay empty."""

    system = forms.ChoiceField(label="Kind of identifier", required=False)
    value = text_field("Identifier")
    valid_from = DayField(label="Valid from", required=False)
    valid_to = DayField(label="Valid to", required=False)

    def clean(self) -> dict[str, Any]:
        """Puts each error beside the box where the user mends it."""
        system, value = self.cleaned_data.get("system"), self.cleaned_data.get("value")
        start, end = self.cleaned_data.get("valid_from"), self.cleaned_data.get("valid_to")
        if value and not system:
            self.add_error("system", "Choose the kind of identifier.")
        elif not value and (system or start or end):
            self.add_error("value", "Enter the identifier, or empty its row.")
        elif value and (fault := why_it_proves_nothing(system or "", value)):
            self.add_error("value", fault.advice)
        if ends_before_start(start, end):
            self.add_error("valid_to", ENDS_BEFORE_START)
        return self.cleaned_data

    @property
    def validity_hint(self) -> str:
        """How the days were understood; empty if there are none, or if one of them is wrong."""
        row = getattr(self, "cleaned_data", {})
        words = validity(row.get("valid_from"), row.get("valid_to"))
        return words[:1].upper() + words[1:]


class BaseIdentifierFormSet(forms.BaseFormSet):
    """The rows of a patient's identifiers."""

    default_error_messages = {
        "missing_management_form": (
            "This form is not complete. Go back, reload the page and send it again."
        )
    }

    def add_fields(self, form: IdentifierForm, index: int | None) -> None:
        """Numbers the labels from the second row on, and offers the kinds of identifiers."""
        super().add_fields(form, index)
        # Django skips a new row that equals its initial values, and would so lose the identifier.
        form.empty_permitted = False
        if index:
            for field in form.fields.values():
                field.label = f"{field.label} {index + 1}"
        choices = {"": "Choose", **SYSTEMS}
        # A system that an import brought is none of ours; its own row has to keep it.
        if own_system := form["system"].value():
            choices.setdefault(own_system, own_system)
        cast(forms.ChoiceField, form.fields["system"]).choices = [*choices.items()]

    def identifiers(self) -> list[dict[str, Any]]:
        """Returns the identifiers of valid rows as `validate_details` takes them."""
        return [row.cleaned_data for row in self if row.cleaned_data.get("value")]


IdentifierFormSet = cast(
    "type[BaseIdentifierFormSet]",
    forms.formset_factory(IdentifierForm, formset=BaseIdentifierFormSet, extra=BLANK_ROWS),
)
