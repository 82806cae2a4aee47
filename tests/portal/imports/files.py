"""Files of made-up people, and the command that imports them."""

import io
import json
import os
from pathlib import Path
from typing import Any

from django.core.management import call_command

SYNTHEA = Path(__file__).resolve().parents[4] / "shared" / "data" / "synthea"
ANNA = {
    "family_name": "Beispiel",
    "given_name": "Anna",
    "date_of_birth": "1984-03-15",
    "sex": "female",
    "phone": "(617) 555-0123",
    "ssn": "999-00-0001",
}
KILLS = int(os.environ.get("KILLS", "4"))
ROWS = 160 * KILLS  # Of `mixed_rows`: enough for so many kills.
ROWS_PER_REFUSAL = 40
REFUSED = ROWS // ROWS_PER_REFUSAL + 1
BEN = {
    "family_name": "Sample",
    "given_name": "Ben",
    "date_of_birth": "1990-12-01",
    "sex": "male",
    "ssn": "999-00-0002",
}


def as_csv(*people: dict[str, str]) -> str:
    """Returns the people under our own column names; a value that is missing is an empty cell."""
    header = list(dict.fromkeys(name for person in people for name in person))
    lines = [",".join(person.get(name, "") for name in header) for person in people]
    return "\n".join([",".join(header), *lines]) + "\n"


def known_people() -> list[dict[str, str]]:
    """Returns the people who are registered before `mixed_rows` are imported."""
    return [
        {"family_name": f"Known{n}", "ssn": f"K{n}", "date_of_birth": "1980-05-05"}
        for n in range(0, ROWS, 8)
    ]


def mixed_rows() -> list[dict[str, str]]:
    """Returns rows with every outcome.

    The second row about a person of the same batch ends that batch, so there are many batches.
    """
    people = [
        {"family_name": f"Row{n}", "ssn": f"S{n}", "sex": "", "deceased_on": ""}
        for n in range(ROWS)
    ]
    for n in range(0, ROWS, ROWS_PER_REFUSAL):
        people[n + 1]["sex"] = "Q"  # Refused.
        people[n + 3] = people[n + 2]  # A duplicate.
        people[n + 5] = people[n + 4] | {"city": "Salem"}  # Fills a blank of the row before.
    for n in range(0, ROWS, 8):
        people[n] = {"ssn": f"K{n}"} | ({"city": "Lowell", "passport": f"P{n}"} if n % 16 else {})
    # Only the record shows that this date is wrong.
    people[ROWS // 2] = {"ssn": f"K{ROWS // 2}", "deceased_on": "1970-01-01"}
    return people


def as_ndjson(*resources: dict[str, Any]) -> str:
    """Returns a line for each resource."""
    lines = [json.dumps({"resourceType": "Patient", **resource}) for resource in resources]
    return "\n".join([*lines, ""])


def import_file(path: Path, *options: str) -> tuple[int, dict[str, Any]]:
    """Returns the exit code and the report of `manage.py import_patients`."""
    out = io.StringIO()
    try:
        call_command(
            "import_patients", str(path), "--json", *options, stdout=out, stderr=io.StringIO()
        )
    except SystemExit as stop:
        return int(stop.code or 0), json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


def counts(report: dict[str, Any]) -> dict[str, int]:
    """Returns the counts of a report that are not zero."""
    names = ("new", "updated", "unchanged", "duplicates", "rejected")
    return {name: report[name] for name in names if report[name]}
