"""The kinds of identifiers and the days of their validity, in the words of a front desk."""

from datetime import date

SYSTEMS = {
    "ssn": "Social security",
    "driver": "Driver's licence",
    "passport": "Passport",
    "insurance": "Insurance",
    "mrn-other": "MRN elsewhere",
}


def system_name(system: str) -> str:
    """Returns the words for one of our codes; of another system's URI the last part."""
    return SYSTEMS.get(system) or system.rstrip("/").rsplit("/", 1)[-1].rsplit(":", 1)[-1]


def validity(start: date | None, end: date | None) -> str:
    """Returns `valid 05-Apr-2020 to 04-Apr-2030`, `valid from …` or `valid until …`.

    It is empty if neither day is known.
    """
    if start and end:
        return f"valid {start:%d-%b-%Y} to {end:%d-%b-%Y}"
    if start:
        return f"valid from {start:%d-%b-%Y}"
    return f"valid until {end:%d-%b-%Y}" if end else ""
