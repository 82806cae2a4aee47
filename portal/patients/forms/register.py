"""The form of a new patient: once only, with the one choice about who may be here already, and for nobody known."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.http import QueryDict

from portal.patients.fields import ADDRESS
from portal.patients.forms.edit import ChoosingForm
from portal.patients.matching.lookup import UNIDENTIFIED_REASON


class RegisterForm(ChoosingForm):
    """The token makes a second press of Save the same registration."""

    token = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, initial: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(data, initial=initial)
        self.fields["country"].help_text = f"Empty means {settings.DEFAULT_COUNTRY}."
        if not self.is_bound:
            self.fields["family_name"].widget.attrs["autofocus"] = True

    @property
    def reason(self) -> str:
        """Why it is another person than those shown; empty where nobody chose."""
        return UNIDENTIFIED_REASON if self.is_unidentified else super().reason

    @property
    def is_unidentified(self) -> bool:
        """Whether the names are the ones that `for_nobody_known` puts in."""
        return bool(self.data.get("unidentified")) and self.data.get("family_name") == UNKNOWN

    @property
    def typed(self) -> dict[str, Any]:
        """The details without the name that tells the moment of the press: a second press is the same registration."""
        made = ("given_name",) if self.is_unidentified else ()
        return {name: value for name, value in self.details.items() if name not in made}

    def _raw(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """An address without a country is one of ours; a country alone is no address."""
        raw = super()._raw(given)
        if not raw.get("country") and any(raw.get(name) for name in ADDRESS):
            raw["country"] = settings.DEFAULT_COUNTRY
        return raw


UNKNOWN = "Unknown"


def for_nobody_known(data: QueryDict, *, at: datetime) -> dict[str, Any]:
    """What was sent, with words for what nobody can know yet: a name that tells when she came, sex and birth unknown.

    Two of one minute are told apart by a part of the form's token; what was typed stays.
    """
    sent = {name: value for name, value in data.items() if isinstance(value, str)}
    if not (sent.get("family_name", "").strip() or sent.get("given_name", "").strip()):
        sent["family_name"] = UNKNOWN
        sent["given_name"] = f"{at:%d-%b-%Y %H:%M} {sent.get('token', '')[:2].upper()}".strip()
    sent["sex"] = sent.get("sex") or "unknown"
    sent["birth_unknown"] = "on"
    return sent
