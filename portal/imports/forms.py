"""The forms of an import: its file, what its columns become, a name for them, and choices for rows in doubt."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings

from portal.imports.models import Choice, Doubt, DuplicatePolicy, ImportQuestion
from portal.imports.readers.columns import can_name_a_patient
from portal.imports.readers.encodings import CHOICES as ENCODINGS
from portal.imports.readers.targets import GROUPS, LABELS
from portal.imports.review import CHOICES, ReviewRow
from portal.patients.models import Status

LEAVE_OUT = ("", "Leave out")


class UploadForm(forms.Form):
    """A file of patients."""

    use_required_attribute = False

    file = forms.FileField(
        label="File",
        allow_empty_file=True,
        error_messages={"required": "Choose a file."},
        widget=forms.FileInput(attrs={"accept": ".csv,.xlsx,.ndjson,.json,.txt,.tsv"}),
    )

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["file"].help_text = (
            "CSV or Excel workbook (.xlsx) with a header row, or FHIR patients as NDJSON or Bundle. "
            f"At most {settings.IMPORT_MAX_BYTES // 1024**2} MB."
        )


class ColumnsForm(forms.Form):
    """A choice for each column of a header, by position: `c0`, `c1` …"""

    use_required_attribute = False

    def __init__(
        self, *args: Any, header: Sequence[str], mapping: Sequence[str] = (), **more: Any
    ) -> None:
        more["initial"] = {f"c{index}": name for index, name in enumerate(mapping)}
        super().__init__(*args, **more)
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

    @property
    def mapping(self) -> list[str]:
        """What is chosen for each column, as far as it is one of the list."""
        return [
            value if (value := self[name].value() or "") in LABELS else "" for name in self.names
        ]

    def clean(self) -> dict[str, Any]:
        """Each field once at most, and something that tells who a row is about."""
        mapping = self.mapping
        for index, name in enumerate(mapping):
            if name and name in mapping[:index]:
                other = self.fields[self.names[mapping.index(name)]].label
                words = f"“{other}” becomes “{LABELS[name]}” too. Choose one of them and leave the other out."
                self.add_error(self.names[index], words)
        if not can_name_a_patient(mapping):
            raise forms.ValidationError(
                "No column becomes a name or an identifier. Choose at least one."
            )
        return self.cleaned_data


class EncodingForm(forms.Form):
    """In which encoding a CSV file is read."""

    use_required_attribute = False

    encoding = forms.ChoiceField(label="Encoding", choices=ENCODINGS)


class ProfileNameForm(forms.Form):
    """A name for saved columns."""

    use_required_attribute = False

    name = forms.CharField(label="Name", max_length=80)


REASON_MISSING = "say why this is another person."


class ReviewForm(forms.Form):
    """A choice for each of some questions: `q7` and its reason `r7`, by the question's id."""

    use_required_attribute = False

    def __init__(self, *args: Any, asked: Sequence[ReviewRow], **more: Any) -> None:
        super().__init__(*args, **more)
        self.asked = asked
        for one in asked:
            key = one.question.pk
            self.fields[f"q{key}"] = forms.ChoiceField(
                label=f"What becomes of row {one.question.row_number}",
                required=one.question.doubt
                != Doubt.ALIKE,  # Whoever is not chosen for is decided with the rest.
                choices=_options(one),
                initial=_chosen(one.question),
                widget=forms.RadioSelect(attrs={"class": "nhsuk-radios--small"}),
                error_messages={"required": "Choose what becomes of this row."},
            )
            self.fields[f"r{key}"] = forms.CharField(
                label="Why it is another person",
                required=False,
                max_length=200,
                initial=one.question.reason,
            )

    def clean(self) -> dict[str, Any]:
        """A new person needs a reason."""
        for one in self.asked:
            reason = f"r{one.question.pk}"
            if self.cleaned_data.get(
                f"q{one.question.pk}"
            ) == Choice.NEW and not self.cleaned_data.get(reason):
                self.add_error(reason, f"Row {one.question.row_number}: {REASON_MISSING}")
        return self.cleaned_data

    def chosen(self) -> list[ImportQuestion]:
        """The questions with what was chosen."""
        for one in self.asked:
            question = one.question
            question.choice, _, patient_id = self.cleaned_data[f"q{question.pk}"].partition(":")
            question.patient_id = patient_id or None
            question.reason = (
                self.cleaned_data[f"r{question.pk}"] if question.choice == Choice.NEW else ""
            )
        return [one.question for one in self.asked if one.question.choice]


class RestForm(forms.Form):
    """One choice for all rows of a kind that have none yet."""

    use_required_attribute = False

    choice = forms.ChoiceField(label="All rows of this kind that nobody chose for")
    reason = forms.CharField(
        label="Why they are other people (for new persons)", required=False, max_length=200
    )

    def __init__(self, *args: Any, doubt: str, **more: Any) -> None:
        super().__init__(*args, **more)
        self.doubt = doubt
        self.fields["choice"].choices = [(one, one.label) for one in CHOICES[doubt]]  # type: ignore[attr-defined]
        if doubt == Doubt.ALIKE:  # Nobody looks at each of them, so nobody has a reason for each.
            del self.fields["reason"]

    def clean(self) -> dict[str, Any]:
        """A new person needs a reason; those who may be registered already go on a list to be looked at."""
        is_new = self.cleaned_data.get("choice") == Choice.NEW and self.doubt != Doubt.ALIKE
        if is_new and not self.cleaned_data.get("reason"):
            self.add_error("reason", REASON_MISSING.capitalize())
        return self.cleaned_data


class ApplyForm(forms.Form):
    """The one choice about those who may be registered already, where nobody chose row by row."""

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
        error_messages={
            "required": "Choose what becomes of the people who may be registered already."
        },
    )

    def __init__(self, *args: Any, count: int, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields[
            "likely"
        ].label = f"{count:,} {'person' if count == 1 else 'people'} may be registered already"
        if not count:
            del self.fields["likely"]


def _options(asked: ReviewRow) -> list[tuple[str, str]]:
    """What may be chosen, an update for each patient on record."""
    options: list[tuple[str, str]] = []
    for choice in CHOICES[asked.question.doubt]:
        if choice in (Choice.UPDATE, Choice.FILL):
            options += [
                (f"{choice}:{one.pk}", f"{choice.label}: MRN {one.mrn}")
                for one in asked.patients
                if one.status == Status.ACTIVE
            ]
        else:
            options.append((choice, choice.label))
    return options


def _chosen(question: ImportQuestion) -> str:
    """What was chosen, or what happens without a choice; nothing for people alike, who are decided on purpose."""
    choice = question.choice
    if not choice and question.doubt != Doubt.ALIKE:
        choice = CHOICES[question.doubt][0]
    if choice in (Choice.UPDATE, Choice.FILL) and question.people:
        return f"{choice}:{question.patient_id or question.people[0]}"
    return choice
