"""The filters of the audit as a form: it keeps what was typed and says what is wrong."""

from datetime import date, datetime, time, timedelta
from typing import Any, cast
from uuid import UUID

from django import forms
from django.http import QueryDict
from django.utils import timezone

from portal.accounts.models import User
from portal.audit.actions import CHANGE_NAMES
from portal.audit.query import READ, SQL, SYSTEM, WRITE, AuditQuery
from portal.audit.selectors import all_users, resolve_patient_id
from portal.patients.audit import ACCESS_ACTIONS
from portal.patients.dates import parse_day
from portal.patients.models import Source

DEFAULT_DAYS = 7  # Shown where the address names no first day.
YEARS = range(1900, 2200)  # Other years are refused: the day after the last one must exist.
KINDS = [("", "Reads and writes"), (READ, "Reads only"), (WRITE, "Writes only")]
CHANNELS = [("", "Any"), *Source.choices, (SQL, "Database")]


class DayField(forms.CharField):
    """A day in any of the forms that the search understands."""

    def __init__(self, label: str) -> None:
        super().__init__(
            label=label, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
        )

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        try:
            day = parse_day(text) if text else None
        except ValueError:
            day = None
        if text and (day is None or day.year not in YEARS):
            message = f"{self.label}: there is no such day. Type it as in 5 apr 2026."
            raise forms.ValidationError(message)
        return day


class AuditForm(forms.Form):
    use_required_attribute = False

    patient = forms.CharField(
        label="Patient",
        required=False,
        help_text="MRN, or the page’s address",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    person = forms.TypedChoiceField(label="Person", required=False, coerce=int, empty_value=None)
    action = forms.ChoiceField(
        label="Action",
        required=False,
        choices=[("", "Any"), *ACCESS_ACTIONS.items(), *CHANGE_NAMES.items()],
    )
    door = forms.ChoiceField(label="Channel", required=False, choices=CHANNELS)
    kind = forms.ChoiceField(label="Show", required=False, choices=KINDS)
    since = DayField("From")
    until = DayField("To")

    def __init__(self, parameters: QueryDict) -> None:
        data = {name: parameters.get(name, "").strip() for name in self.base_fields}
        if "since" not in parameters:
            data["since"] = first_day_of(DEFAULT_DAYS)
        super().__init__(data)
        users = [(user.pk, _user_label(user)) for user in all_users()]
        person = cast(forms.TypedChoiceField, self.fields["person"])
        person.choices = [("", "Anybody"), (SYSTEM, "The system"), *users]

    def clean_patient(self) -> UUID | None:
        text = self.cleaned_data["patient"]
        patient_id = resolve_patient_id(text) if text else None
        if text and patient_id is None:
            message = (
                "No patient has or had this MRN. Check its digits, or paste the page’s address."
            )
            raise forms.ValidationError(message)
        return patient_id

    def clean(self) -> dict[str, Any]:
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        if since and until and until < since:
            self.add_error("until", "To: this day is before the first one.")
        return self.cleaned_data

    @property
    def query(self) -> AuditQuery:
        """The query of a valid form. Days are the clinic's, and the last one is included."""
        data = self.cleaned_data
        until = data["until"] and data["until"] + timedelta(days=1)
        return AuditQuery(
            person=data["person"],
            patient=data["patient"],
            action=data["action"],
            channel=data["door"],
            kind=data["kind"],
            since=_start_of(data["since"]),
            until=_start_of(until),
        )


def first_day_of(days: int) -> str:
    """Returns the first of so many days that end today, as the form shows it."""
    return (timezone.localdate() - timedelta(days=days - 1)).strftime("%d-%b-%Y")


def _user_label(user: User) -> str:
    return f"{user.full_name} ({user.email})" if user.full_name else user.email


def _start_of(day: date | None) -> datetime | None:
    return timezone.make_aware(datetime.combine(day, time())) if day else None
