"""The form that asks for the record as it was on a day, or at a time of that day."""

from datetime import datetime, time

from django import forms
from django.utils import timezone

from portal.patients.forms.fields import TEXT_ATTRIBUTES
from portal.patients.normalize import date_from


class AsOfForm(forms.Form):
    """`as_of` is the end of the day, or the minute if a time is given, by the clinic's clock."""

    use_required_attribute = False

    on = forms.CharField(
        label="The record as it was on",
        help_text="Such as 05-Apr-2024 or 5/4/24",
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
            day = date_from(self.cleaned_data["on"])
        except ValueError as error:
            raise forms.ValidationError(
                "There is no such day. Check the day and the month."
            ) from error
        if day is None:
            raise forms.ValidationError("Enter a day such as 05-Apr-2024, 5/4/2024 or 2024-04-05.")
        if day > timezone.localdate():
            raise forms.ValidationError("Enter today or an earlier day.")
        return timezone.make_aware(datetime.combine(day, time.max))

    @property
    def as_of(self) -> datetime:
        end_of_day: datetime = self.cleaned_data["on"]
        at = self.cleaned_data["at"]
        return end_of_day.replace(hour=at.hour, minute=at.minute) if at else end_of_day
