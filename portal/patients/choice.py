"""The one choice about those who may be the same person: the form asks it, and keeps it only for whom it was made."""

from typing import Any

from django import forms

from portal.patients.forms import PatientForm

REASONS = {
    "relative": "Twin, brother or sister",
    "namesake": "Parent and child of one name",
    "papers": "Papers checked: another person",
    "other": "Another reason",
}


class ChoosingForm(PatientForm):
    """`reason` is the choice in words, for the log."""

    while_nobody = "Patients who may be this person are shown here while you type."
    another = forms.ChoiceField(
        label="None of these. It is another person, because:",
        choices=[*REASONS.items()],
        required=False,
        widget=forms.RadioSelect(attrs={"class": "nhsuk-radios--small"}),
    )
    other_reason = forms.CharField(
        label="Which other reason",
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    @property
    def reason(self) -> str:
        """Why it is another person than those shown; empty where nobody chose."""
        chosen, words = self.cleaned_data.get("another", ""), self.cleaned_data.get("other_reason", "").strip()
        return words if words and chosen in ("", "other") else REASONS.get(chosen, "")

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if given.get("another") == "other" and not given.get("other_reason", "").strip():
            self.add_error("other_reason", "Say the other reason in a few words.")
        return given

    def forget_choice(self) -> None:
        """It was made about others than those who are shown now."""
        self.data = {name: value for name, value in self.data.items() if name not in ("another", "other_reason")}

    def ask(self) -> None:
        """Say that nothing is saved before somebody has chosen."""
        self.add_error("another", "Open the patient who is here already, or choose why this is another person.")


class EditForm(ChoosingForm):
    """Carries what the person saw when they opened it, so that only what they changed is written."""

    while_nobody = "If your changes make this record look like another patient, that patient is shown here."
    opened = forms.CharField(widget=forms.HiddenInput)
