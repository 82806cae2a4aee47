"""The forms of an import: its file, its columns, a name for them, and decisions about its rows."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django import forms
from django.conf import settings

from portal.imports.models import Choice, Doubt, DuplicatePolicy, ImportQuestion
from portal.imports.readers.columns import can_name_a_patient
from portal.imports.readers.encodings import CHOICES as ENCODINGS
from portal.imports.readers.tables import DATES
from portal.imports.readers.targets import GROUPS, LABELS
from portal.imports.readers.values import MAPPED, are_english_codes, guess_meanings, value_key
from portal.imports.review import CHOICES, ReviewRow
from portal.imports.services import POLICY_MISSING
from portal.patients.dates import DateOrder, clinic_order
from portal.patients.models import Patient, Status
from portal.patients.validation import choices_of

LEAVE_EMPTY = "empty"
REFUSE = ("", "Not known: refuse its rows")
DATE_ORDERS = [
    (DateOrder.DAY_FIRST.value, "The day stands first: this is 3 April 1984"),
    (DateOrder.MONTH_FIRST.value, "The month stands first: this is March 4, 1984"),
]
LEAVE_OUT = ("", "Leave out")
REASON_MISSING = "say why this is another person."


class ValueField(NamedTuple):
    """The form's field for one value of a column."""

    name: str
    column: str
    value: str


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
            "CSV or Excel workbook (.xlsx) with a header row, or FHIR patients as NDJSON or "
            f"Bundle. At most {settings.IMPORT_MAX_BYTES // 1024**2} MB."
        )


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
