"""Words of the sources put into the words of our fields; what is not listed stays as it was typed."""

import re

_YEAR, _MONTH = re.compile(r"\d{4}"), re.compile(r"\d{4}-\d{1,2}")
SEX = {"m": "male", "f": "female", "o": "other", "u": "unknown"}

_OMB = (
    "White", "Black or African American", "Asian", "American Indian or Alaska Native",
    "Native Hawaiian or Other Pacific Islander", "Other", "Hispanic or Latino", "Not Hispanic or Latino",
)  # fmt: skip
# Synthea's CSV has short words where its FHIR has the labels of the US Office of Management and Budget.
_SHORT = {
    "black": "Black or African American",
    "native": "American Indian or Alaska Native",
    "hawaiian": "Native Hawaiian or Other Pacific Islander",
    "hispanic": "Hispanic or Latino",
    "nonhispanic": "Not Hispanic or Latino",
}
_ORIGIN = {label.lower(): label for label in _OMB} | _SHORT


def sex(text: str) -> str:
    """`M` -> `male`."""
    return SEX.get(text.strip().lower(), text.strip())


def origin(text: str) -> str:
    """Race or ethnicity under one label, so that two files of one source do not overwrite each other."""
    return _ORIGIN.get(text.strip().lower(), text.strip())


def parse_partial_date(text: str) -> tuple[str, str]:
    """A date and its precision: `1956` -> `1956-01-01`, year; whatever is no partial date counts as a day."""
    if _YEAR.fullmatch(text):
        return f"{text}-01-01", "year"
    if _MONTH.fullmatch(text):
        return f"{text}-01", "month"
    return text, "day"
