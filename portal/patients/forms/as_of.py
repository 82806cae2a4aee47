"""The form that asks for the record as it was on a day, or at a time of that day."""

from datetime import date, datetime, time

from django import forms
from django.utils import timezone

from portal.patients.dates import numeric_date, parse_day
from portal.patients.forms.fields import TEXT_ATTRIBUTES

_EXAMPLE = numeric_date(date(2024, 4, 5))


class AsOfForm(forms.Form):
    """`as_of` is the end of the day, or the minute if a time is given, by the clinic's clock."""

    use_required_attribute = False

    on = forms.CharField(
        label="The record as it was on",
        help_text=f"Such as 05-Apr-2024 or {_EXAMPLE}",
        error_messages={"required": "Enter the day."},
        widget=forms.TextInput({**TEXT_ATTRIBUTES, "class": "nhsuk-input--width-10"}),
    )
    at = forms.TimeField(
        label="At (optional)",
        help_text="Such as 14:30",
        required=False,
        input_formats=["%H:%M", "%H.%M"],
        error_messages={
            "invalid": "Enter the time as 14:30, or leave it empty for the end of the day."
        },
        widget=forms.TimeInput(
            {**TEXT_ATTRIBUTES, "class": "nhsuk-input--width-5"}, format="%H:%M"
        ),
    )

    def clean_on(self) -> datetime:
        """Returns the last moment of the day."""
        try:
            day = parse_day(self.cleaned_data["on"])
        except ValueError as error:
            raise forms.ValidationError(
                "There is no such day. Check the day and the month."
            ) from error
        if day is None:
            message = f"Enter a day such as 05-Apr-2024, {_EXAMPLE} or 2024-04-05."
            raise forms.ValidationError(message)
        if day > timezone.localdate():
            raise forms.ValidationError("Enter today or an earlier day.")
        return timezone.make_aware(datetime.combine(day, time.max))

    @property
    def as_of(self) -> datetime:
        end_of_day: datetime = self.cleaned_data["on"]
        at = self.cleaned_data["at"]
        return end_of_day.replace(hour=at.hour, minute=at.minute) if at else end_of_day
