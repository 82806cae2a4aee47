"""Postal codes in the form of their country, where we know that form; elsewhere they stay as typed."""

import re

_US = (re.compile(r"(\d{5})(\d{4})?$"), "-")
# Outward and inward code of the United Kingdom; the inward one is always a digit and two letters.
_GB = (re.compile(r"([A-Z]{1,2}\d[A-Z\d]?|GIR)(\d[A-Z]{2})$"), " ")
_CA = (re.compile(r"([A-Z]\d[A-Z])(\d[A-Z]\d)$"), " ")
_NL = (re.compile(r"(\d{4})([A-Z]{2})$"), " ")
_SE = (re.compile(r"(\d{3})(\d{2})$"), " ")
_IE = (re.compile(r"([A-Z]\d[\dW])([A-Z\d]{4})$"), " ")
_FOUR, _FIVE = (re.compile(r"(\d{4})()$"), ""), (re.compile(r"(\d{5})()$"), "")

_FORMS = {
    "US": _US, "PR": _US, "GB": _GB, "CA": _CA, "NL": _NL, "SE": _SE, "IE": _IE,
    "AT": _FOUR, "AU": _FOUR, "BE": _FOUR, "CH": _FOUR, "DK": _FOUR, "NO": _FOUR, "NZ": _FOUR,
    "DE": _FIVE, "ES": _FIVE, "FI": _FIVE, "FR": _FIVE, "IT": _FIVE, "MX": _FIVE,
}  # fmt: skip


def knows_country(country: str) -> bool:
    """Whether we know the form of this country's postal codes (ISO 3166-1 alpha-2)."""
    return country in _FORMS


def national_form(code: str, country: str) -> str:
    """`ls14ap` as `LS1 4AP`, `021081234` as `02108-1234`; empty where it has not the form of the country."""
    form, between = _FORMS.get(country, (None, ""))
    found = form.match(re.sub(r"[\s-]", "", code).upper()) if form else None
    return between.join(part for part in found.groups() if part) if found else ""
