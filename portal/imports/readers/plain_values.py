"""Texts that say what they mean: a look at their letters is enough, and the whole check is not.

Whatever a look does not know gets the whole check; what that has found is remembered.
"""

import re
from datetime import date
from typing import Any

from django.utils import timezone

from portal.errors import InvalidInput
from portal.imports.readers.cells import SHORTENED, texts_for_nothing
from portal.imports.readers.targets import DIGITS
from portal.patients.columns import max_length_of
from portal.patients.dates import ISO_DAY
from portal.patients.entered_dates import EARLIEST_DATE
from portal.patients.fields import FIELD_OF, Kind, Section
from portal.patients.models import Patient
from portal.patients.validation import PLAIN_EMAIL, validate_details

MAX_KNOWN = 10_000  # Texts of a field that are remembered, with so many characters at most.
MAX_KNOWN_CHARACTERS = 60
# A whole text of letters and digits of ASCII, with single signs between them.
_NAME = re.compile(r"[A-Za-z]+(?:[ '-][A-Za-z]+)*\Z")
_NUMBER = re.compile(r"[A-Za-z0-9]+(?:[ -][A-Za-z0-9]+)*\Z")
_TEXT = re.compile(r"[A-Za-z0-9]+(?:(?: |[-'.,/] ?)[A-Za-z0-9]+)*\Z")
_PHONE = re.compile(r"(?=.*[0-9]{3})[+(]?[0-9]+\)?(?:[ -]\(?[0-9]+\)?)*\Z")
# Fields whose words have others in their place, or that are one of a few: these come again.
_WITHOUT_PATTERN = {"race", "ethnicity"}
_KINDS = {Kind.EMAIL: PLAIN_EMAIL, Kind.PHONE: _PHONE}


class PlainField:
    """The values of one field, by their texts in a file."""

    def __init__(self, name: str) -> None:
        self.name, self.kind = name, FIELD_OF[name].kind
        self._known: dict[str, Any] = {}
        self._pattern = _pattern_of(name)
        self._nothing = texts_for_nothing(name)
        self._limit = max_length_of(Patient, name) if self._pattern else 0
        self._has_digits = name in DIGITS
        self._today = timezone.localdate()

    @property
    def is_unique(self) -> bool:
        """Tells whether each person has a text of their own, so that none is worth remembering."""
        return self.kind in _KINDS or self.kind == Kind.DATE

    def look(self, text: str) -> Any:
        """Returns the value of a text that stands for itself; None for any other.

        As a cell of a table it is such a text, too: there is nothing to clean and no fault.
        """
        if self.kind == Kind.DATE:
            return self._day(text)
        if self._pattern is None or not self._pattern.match(text) or len(text) > self._limit:
            return None
        if self._has_digits and SHORTENED.match(text):
            return None
        return None if text.lower() in self._nothing else text

    def value_of(self, text: str) -> Any:
        """Returns the validated value of a text that is not empty; None if anything is odd."""
        value = self._known.get(text)
        if value is None:
            value = self.look(text)
        if value is None:
            value = self._check(text)
            if value is not None:
                remember(self._known, text, value)
        return value

    def _day(self, text: str) -> date | None:
        if not ISO_DAY.match(text):
            return None
        try:
            day = date.fromisoformat(text)
        except ValueError:
            return None
        return day if EARLIEST_DATE <= day <= self._today else None

    def _check(self, text: str) -> Any:
        try:
            validated = validate_details({self.name: text}, partial=True)
        except InvalidInput:
            return None
        is_alone = validated.keys() <= {self.name, "phone_e164"}
        return validated[self.name] if is_alone else None


def remember(known: dict[str, Any], text: str, value: Any) -> None:
    """Remembers the value; those before it are forgotten once they are too many."""
    if len(known) >= MAX_KNOWN:
        known.clear()
    if len(text) <= MAX_KNOWN_CHARACTERS:
        known[text] = value


def _pattern_of(name: str) -> re.Pattern[str] | None:
    field = FIELD_OF[name]
    if field.kind in _KINDS:
        return _KINDS[field.kind]
    if field.kind != Kind.TEXT or name in _WITHOUT_PATTERN:
        return None
    if field.section == Section.NAME:
        return _NAME
    return _NUMBER if name in DIGITS else _TEXT
