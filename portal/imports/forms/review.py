"""The forms of decisions about rows, and of the import itself."""

from collections.abc import Sequence
from typing import Any

from django import forms

from portal.imports.models import Choice, Doubt, DuplicatePolicy, ImportQuestion
from portal.imports.review import CHOICES, ReviewRow
from portal.imports.services import POLICY_MISSING
from portal.patients.models import Patient, Status

REASON_MISSING = "say why this is another person."


class ReviewForm(forms.Form):
    """A row decision for each question: `q7` and its override reason `r7`, by the question's id."""

    use_required_attribute = False

    def __init__(self, *args: Any, rows: Sequence[ReviewRow], **more: Any) -> None:
        super().__init__(*args, **more)
        self.rows = rows
        for row in rows:
            question = row.question
            self.fields[f"q{question.pk}"] = forms.ChoiceField(
                label=f"What becomes of row {question.row_number}",
                # Possible duplicates without a choice are decided together, by a DuplicatePolicy.
                required=question.doubt != Doubt.POSSIBLE_DUPLICATE,
                choices=_options(question.doubt, row.patients),
                initial=_initial_choice(question),
                widget=forms.RadioSelect(attrs={"class": "nhsuk-radios--small"}),
                error_messages={"required": "Choose what becomes of this row."},
            )
            self.fields[f"r{question.pk}"] = forms.CharField(
                label="Why it is another person",
                required=False,
                max_length=200,
                initial=question.reason,
            )

    def clean(self) -> dict[str, Any]:
        """Checks that each new person has an override reason."""
        for row in self.rows:
            question = row.question
            is_new = self.cleaned_data.get(f"q{question.pk}") == Choice.NEW
            if is_new and not self.cleaned_data.get(f"r{question.pk}"):
                self.add_error(f"r{question.pk}", f"Row {question.row_number}: {REASON_MISSING}")
        return self.cleaned_data

    def decided_questions(self) -> list[ImportQuestion]:
        """Returns the questions that have a choice now, with that choice set on them."""
        for row in self.rows:
            question = row.question
            question.choice, _, patient_id = self.cleaned_data[f"q{question.pk}"].partition(":")
            question.patient_id = patient_id or None
            is_new = question.choice == Choice.NEW
            question.reason = self.cleaned_data[f"r{question.pk}"] if is_new else ""
        return [row.question for row in self.rows if row.question.choice]


class RestForm(forms.Form):
    """One choice for all rows with a doubt that have none yet."""

    use_required_attribute = False

    choice = forms.ChoiceField(label="All rows of this kind that nobody chose for")
    reason = forms.CharField(
        label="Why they are other people (for new persons)", required=False, max_length=200
    )

    def __init__(self, *args: Any, doubt: str, **more: Any) -> None:
        super().__init__(*args, **more)
        self.needs_reason = doubt != Doubt.POSSIBLE_DUPLICATE
        self.fields["choice"] = forms.ChoiceField(
            label=self.fields["choice"].label,
            choices=[(choice, choice.label) for choice in CHOICES[doubt]],
        )
        if not self.needs_reason:  # No user looks at each of these rows.
            del self.fields["reason"]

    def clean(self) -> dict[str, Any]:
        """Checks that new people have an override reason, unless possible duplicates are listed."""
        is_new = self.cleaned_data.get("choice") == Choice.NEW
        if is_new and self.needs_reason and not self.cleaned_data.get("reason"):
            self.add_error("reason", REASON_MISSING.capitalize())
        return self.cleaned_data


class ApplyForm(forms.Form):
    """The choice about people who may be registered already and have no row decision."""

    use_required_attribute = False

    likely = forms.ChoiceField(
        label="",
        choices=[
            (
                DuplicatePolicy.REGISTER,
                "Register them: each goes on the list of possible duplicates",
            ),
            (
                DuplicatePolicy.REFUSE,
                "Hold them back: they stay out, and are listed with the reason",
            ),
        ],
        widget=forms.RadioSelect(attrs={"class": "nhsuk-radios--small"}),
        error_messages={"required": POLICY_MISSING},
    )

    def __init__(self, *args: Any, count: int, **more: Any) -> None:
        super().__init__(*args, **more)
        people = f"{count:,} {'person' if count == 1 else 'people'}"
        self.fields["likely"].label = f"{people} may be registered already"
        if not count:
            del self.fields["likely"]


def _options(doubt: str, patients: list[Patient]) -> list[tuple[str, str]]:
    """Returns the choices of a doubt, with an update for each active patient."""
    active = [patient for patient in patients if patient.status == Status.ACTIVE]
    options: list[tuple[str, str]] = []
    for choice in CHOICES[doubt]:
        if choice in (Choice.UPDATE, Choice.FILL):
            options += [
                (f"{choice}:{patient.pk}", f"{choice.label}: MRN {patient.mrn}")
                for patient in active
            ]
        else:
            options.append((choice, choice.label))
    return options


def _initial_choice(question: ImportQuestion) -> str:
    """Returns what was chosen, or what happens without a choice.

    Possible duplicates get no proposal: they are decided on purpose.
    """
    choice = question.choice
    if not choice and question.doubt != Doubt.POSSIBLE_DUPLICATE:
        choice = CHOICES[question.doubt][0]
    if choice in (Choice.UPDATE, Choice.FILL) and question.people:
        return f"{choice}:{question.patient_id or question.people[0]}"
    return choice
