"""Postal codes in the format of their country, where it is known here."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class PostcodeFormat:
    """The two parts of a postal code without spaces and hyphens, and what stands between them."""

    pattern: re.Pattern[str]
    separator: str = ""


_FOUR_DIGITS = PostcodeFormat(re.compile(r"(\d{4})()$"))
_FIVE_DIGITS = PostcodeFormat(re.compile(r"(\d{5})()$"))
_US = PostcodeFormat(re.compile(r"(\d{5})(\d{4})?$"), "-")

# By country (ISO 3166-1 alpha-2).
_FORMATS = {
    "US": _US,
    "PR": _US,
    # Outward and inward code; the inward one is always a digit and two letters.
    "GB": PostcodeFormat(re.compile(r"([A-Z]{1,2}\d[A-Z\d]?|GIR)(\d[A-Z]{2})$"), " "),
    "CA": PostcodeFormat(re.compile(r"([A-Z]\d[A-Z])(\d[A-Z]\d)$"), " "),
    "NL": PostcodeFormat(re.compile(r"(\d{4})([A-Z]{2})$"), " "),
    "SE": PostcodeFormat(re.compile(r"(\d{3})(\d{2})$"), " "),
    "IE": PostcodeFormat(re.compile(r"([A-Z]\d[\dW])([A-Z\d]{4})$"), " "),
    **dict.fromkeys(("AT", "AU", "BE", "CH", "DK", "NO", "NZ"), _FOUR_DIGITS),
    **dict.fromkeys(("DE", "ES", "FI", "FR", "IT", "MX"), _FIVE_DIGITS),
}


def knows_country(country: str) -> bool:
    """Returns whether the format of this country's postal codes is known."""
    return country in _FORMATS


def national_form(code: str, country: str) -> str:
    """Returns `LS1 4AP` for `ls14ap`, `02108-1234` for `021081234`; empty for another format."""
    if country not in _FORMATS:
        return ""
    postcode_format = _FORMATS[country]
    found = postcode_format.pattern.match(re.sub(r"[\s-]", "", code).upper())
    parts = found.groups() if found else ()
    return postcode_format.separator.join(part for part in parts if part)
