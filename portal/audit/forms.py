"""What may be asked of the trail, as a form: it keeps what was typed and says what is wrong."""

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.http import QueryDict
from django.utils import timezone

from portal.audit.actions import WRITES
from portal.audit.query import READ, SQL, SYSTEM, WRITE, Asked
from portal.audit.selectors import patient_meant, people
from portal.patients.audit import READS
from portal.patients.models import Source
from portal.patients.normalize import date_from

DAYS_AT_FIRST = 7
YEARS = range(1900, 2200)  # The calendar ends somewhere, and a day behind its last one is none.
KINDS = [("", "Reads and writes"), (READ, "Reads only"), (WRITE, "Writes only")]
DOORS = [("", "Any"), *Source.choices, (SQL, "Database")]


class DayField(forms.CharField):
    """A day as people type it, in any of the forms that the search knows."""

    def __init__(self, label: str) -> None:
        super().__init__(
            label=label, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
        )

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        try:
            day = date_from(text) if text else None
        except ValueError:
            day = None
        if text and (day is None or day.year not in YEARS):
            raise forms.ValidationError(
                f"{self.label}: there is no such day. Type it as in 5 apr 2026."
            )
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
        label="Action", required=False, choices=[("", "Any"), *READS.items(), *WRITES.items()]
    )
    door = forms.ChoiceField(label="Door", required=False, choices=DOORS)
    kind = forms.ChoiceField(label="Show", required=False, choices=KINDS)
    since = DayField("From")
    until = DayField("To")

    def __init__(self, asked: QueryDict) -> None:
        given = {name: asked.get(name, "").strip() for name in self.base_fields}
        if "since" not in asked:
            given["since"] = first_of(DAYS_AT_FIRST)
        super().__init__(given)
        known = [
            (user.pk, f"{user.full_name} ({user.email})" if user.full_name else user.email)
            for user in people()
        ]
        self.fields["person"].choices = [("", "Anybody"), (SYSTEM, "The system"), *known]  # type: ignore[attr-defined]

    def clean_patient(self) -> UUID | None:
        text = self.cleaned_data["patient"]
        meant = patient_meant(text) if text else None
        if text and meant is None:
            raise forms.ValidationError(
                "No patient has or had this MRN. Check its digits, or paste the page’s address."
            )
        return meant

    def clean(self) -> dict[str, Any]:
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        if since and until and until < since:
            self.add_error("until", "To: this day is before the first one.")
        return self.cleaned_data

    @property
    def asked(self) -> Asked:
        """Of a valid form. Days are the clinic's, and the last one is in."""
        given = dict(self.cleaned_data)
        since, until = given.pop("since"), given.pop("until")
        return Asked(
            **given, since=_start(since), until=_start(until and until + timedelta(days=1))
        )


def first_of(days: int) -> str:
    """The first of so many days that end today, as the form shows it."""
    return (timezone.localdate() - timedelta(days=days - 1)).strftime("%d-%b-%Y")


def _start(day: date | None) -> datetime | None:
    return timezone.make_aware(datetime.combine(day, time())) if day else None
