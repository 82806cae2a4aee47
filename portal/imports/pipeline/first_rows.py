"""The first rows of a file as they are understood, for a person who looks at a dry run."""

from datetime import date
from itertools import islice
from typing import Any

from portal.imports.matching.row import CheckedRow, check_row
from portal.imports.pipeline.job_store import storable
from portal.imports.readers import PatientFile, Row
from portal.imports.readers.columns import IDENTIFIER_CELL
from portal.imports.readers.rows import count_words
from portal.imports.readers.targets import LABELS
from portal.patients.dates import date_in_words
from portal.patients.models import Sex, Status
from portal.patients.reference.identifier_systems import system_name

SHOWN = 10  # Rows.
# The birth date says how exact it is, and each identifier stands under its own system.
_TOLD_OTHERWISE = {"date_of_birth_precision", IDENTIFIER_CELL}


def first_rows(file: PatientFile) -> list[dict[str, Any]]:
    """Returns number, fields as pairs of label and value, and reasons of the first rows.

    Dates are in words, so that nobody reads their day as their month.
    """
    return [_as_understood(row) for row in islice(file.rows(), SHOWN)]


def _as_understood(row: Row) -> dict[str, Any]:
    checked = check_row(row)
    if not isinstance(checked, CheckedRow):
        reasons = [storable(problem.reason) for problem in checked]
        return {"row": row.number, "fields": [], "reasons": reasons}
    details = checked.details
    precision = details.get("date_of_birth_precision") or "day"
    fields = []
    for name, label in LABELS.items():
        value = details.get(name)
        if value and name not in _TOLD_OTHERWISE:
            known_to = precision if name == "date_of_birth" else "day"
            fields.append((label, _in_words(name, value, known_to)))
    fields += [
        (system_name(held["system"]), held["value"]) for held in details.get("identifiers", [])
    ]
    if checked.source.is_archived:
        fields.append(("Status", Status.ARCHIVED.label))
    if left_out := checked.source.parts_left_out:
        fields.append(("Left out", count_words(left_out)))
    return {"row": row.number, "fields": fields, "reasons": []}


def _in_words(name: str, value: Any, precision: str) -> str:
    if isinstance(value, date):
        return date_in_words(value, precision)
    return str(Sex(value).label) if name == "sex" else str(value)
