"""Shapes of what people type: names folded as the database folds them, dates in many forms, phones, record numbers."""

import re
import unicodedata
from datetime import date

import phonenumbers
from django.conf import settings
from stdnum import damm

from portal.patients.finding.letters import is_in_word

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})$")
_PARTS = re.compile(r"(\d{1,2})[\s./-]+(\d{1,2}|[a-z]{3,9})[\s.,/-]+(\d{4}|\d{2})$", re.IGNORECASE)
_MONTH_FIRST = re.compile(r"([a-z]{3,9})\s+(\d{1,2}),?\s+(\d{4}|\d{2})$", re.IGNORECASE)
_APOSTROPHES = re.compile("['`\u2018\u2019\u02bc]")
_MRN = re.compile(r"\d{8,12}$")


def fold(text: str) -> str:
    """As SQL's patients_fold: lower case, no accents, letters and digits only, one space between words.

    An apostrophe parts no words: O'Brien is obrien.
    """
    text = _APOSTROPHES.sub("", text)
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not "\u0300" <= c <= "\u036f")
    if plain.isascii():
        return re.sub(r"[\W_]+", " ", plain.lower()).strip()
    # Letter by letter: of a whole word, Python makes the last Σ a letter of its own, and the database does not.
    lower = "".join(c.lower() for c in plain)
    return " ".join("".join(c if is_in_word(c) else " " for c in lower).split())


def identifier_value(text: str) -> str:
    """Letters and digits only, in capitals: `999-22-1962` and `999 22 1962` are one number."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text)).upper()


def is_mrn(text: str) -> bool:
    """Whether this has the shape and the check digit of one of our record numbers."""
    return bool(_MRN.match(text)) and damm.is_valid(text)


def month_number(text: str) -> int:
    """1 to 12 from `3`, `mar` or `March`; ValueError for anything else."""
    if text.isdigit():
        return int(text)
    if len(text) >= 3 and text[:3].lower() in _MONTHS:
        return _MONTHS.index(text[:3].lower()) + 1
    raise ValueError(text)


def full_year(text: str, *, ahead: int = 0) -> int:
    """Four digits as they are; two digits are the latest such year that is not more than `ahead` years ahead of us."""
    year = int(text)
    if len(text) > 2:
        return year
    latest = date.today().year + ahead  # noqa: DTZ011 - a century does not hang on the zone
    return latest - (latest - year) % 100


def date_from(text: str, *, ahead: int = 0) -> date | None:
    """The day that a person means by `1984-03-15`, `15/3/84`, `15 mar 1984` or `March 15, 1984`; day before month.

    A year of two digits is at most `ahead` years ahead. None where the text has no such shape; ValueError where it has,
    but there is no such day (30 February).
    """
    text = " ".join(text.split())
    if found := _ISO.match(text):
        return date(int(found[1]), int(found[2]), int(found[3]))
    if found := _PARTS.match(text):
        return date(full_year(found[3], ahead=ahead), month_number(found[2]), int(found[1]))
    if found := _MONTH_FIRST.match(text):
        return date(full_year(found[3], ahead=ahead), month_number(found[1]), int(found[2]))
    return None


def e164(phone: str, country: str = "") -> str:
    """The number in E.164 (ITU-T), or empty where it is not a valid one: it is kept as typed all the same."""
    try:
        number = phonenumbers.parse(phone, country or settings.DEFAULT_COUNTRY)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_valid_number(number):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def phone_tail(phone: str) -> str:
    """The end of a number, backwards as it is stored: of a valid one (E.164) what all its spellings share."""
    if phone.startswith("+"):
        lengths = (length for length in (2, 3, 4) if int(phone[1:length]) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
        phone = phone[next(lengths, 1) :].lstrip("0")
    return phone[::-1]
