"""The patient's form with the override reason: why this is another person than those shown."""

from typing import Any

from django import forms

from portal.patients.forms.fields import TEXT_ATTRIBUTES
from portal.patients.forms.patient import PatientForm

REASONS = {
    "relative": "Twin, brother or sister",
    "namesake": "Parent and child of one name",
    "papers": "Papers checked: another person",
    "other": "Another reason",
}


class OverrideForm(PatientForm):
    """Asks for an override reason; one holds only for the patients about whom it was given."""

    text_without_matches = "Patients who may be this person are shown here while you type."
    override_reason = forms.ChoiceField(
        label="None of these. It is another person, because:",
        choices=[*REASONS.items()],
        required=False,
        widget=forms.RadioSelect(attrs={"class": "nhsuk-radios--small"}),
    )
    other_reason = forms.CharField(
        label="Which other reason",
        max_length=200,
        required=False,
        widget=forms.TextInput({"autocomplete": TEXT_ATTRIBUTES["autocomplete"]}),
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if given.get("override_reason") == "other" and not given.get("other_reason", "").strip():
            self.add_error("other_reason", "Say the other reason in a few words.")
        return given

    @property
    def reason_text(self) -> str:
        """The override reason in words, for the log; empty if the user gave none."""
        chosen = self.cleaned_data.get("override_reason", "")
        own_words = self.cleaned_data.get("other_reason", "").strip()
        if own_words and chosen in ("", "other"):
            return own_words
        return REASONS.get(chosen, "")

    def forget_override_reason(self) -> None:
        """Drops the sent reason: it was given about other patients than those shown now."""
        reason_fields = ("override_reason", "other_reason")
        self.data = {name: value for name, value in self.data.items() if name not in reason_fields}

    def ask_for_override_reason(self) -> None:
        """Adds the error that nothing is saved before the user gives a reason."""
        self.add_error(
            "override_reason",
            "Open the patient who is here already, or choose why this is another person.",
        )
