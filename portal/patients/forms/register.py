"""The form of a new patient, also of one who cannot be identified yet."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.http import QueryDict

from portal.patients.fields import ADDRESS
from portal.patients.forms.override import OverrideForm
from portal.patients.matching.refusal import UNIDENTIFIED_REASON

UNKNOWN_NAME = "Unknown"


class RegisterForm(OverrideForm):
    """Registers a patient; the token makes a second press of Save the same registration."""

    token = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, initial: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(data, initial=initial)
        self.fields["country"].help_text = f"Empty means {settings.DEFAULT_COUNTRY}."
        if not self.is_bound:
            self.fields["family_name"].widget.attrs["autofocus"] = True

    def take_new_token(self) -> None:
        """Gives a new token to a form that registered a patient and came again by Back."""
        self.data = {**self.data, "token": uuid.uuid4().hex}
        self.cleaned_data["token"] = self.data["token"]

    @property
    def reason_text(self) -> str:
        return UNIDENTIFIED_REASON if self.is_unidentified else super().reason_text

    @property
    def is_unidentified(self) -> bool:
        """Tells whether the names are those that `unidentified_data` puts in."""
        was_pressed = bool(self.data.get("unidentified"))
        return was_pressed and self.data.get("family_name") == UNKNOWN_NAME

    @property
    def details_for_idempotency(self) -> dict[str, Any]:
        """The details without a name made of the time, which differs at a second press."""
        details = {**self.details}
        if self.is_unidentified:
            details.pop("given_name", None)
        return details

    def _raw_details(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Adds the clinic's country to an address without one; a country alone is no address."""
        raw = super()._raw_details(given)
        if not raw.get("country") and any(raw.get(name) for name in ADDRESS):
            raw["country"] = settings.DEFAULT_COUNTRY
        return raw


def unidentified_data(data: QueryDict, *, at: datetime) -> dict[str, Any]:
    """Returns the sent data with words for what cannot be known yet; what was typed stays.

    The given name is the time `at` which the person came. Two people of one minute differ by a
    part of the form's token. Sex and date of birth are unknown.
    """
    filled = {name: value for name, value in data.items() if isinstance(value, str)}
    if not (filled.get("family_name", "").strip() or filled.get("given_name", "").strip()):
        filled["family_name"] = UNKNOWN_NAME
        filled["given_name"] = f"{at:%d-%b-%Y %H:%M} {filled.get('token', '')[:2].upper()}".strip()
    filled["sex"] = filled.get("sex") or "unknown"
    filled["birth_unknown"] = "on"
    return filled
