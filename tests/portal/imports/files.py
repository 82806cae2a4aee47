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
ROWS, EVERY = (
    160 * KILLS,
    40,
)  # Of `mixed_rows`: enough for so many kills, and how many until the next that is refused.
REFUSED = ROWS // EVERY + 1
BEN = {
    "family_name": "Sample",
    "given_name": "Ben",
    "date_of_birth": "1990-12-01",
    "sex": "male",
    "ssn": "999-00-0002",
}


def as_csv(*people: dict[str, str]) -> str:
    """The people under our own column names; a cell that one of them lacks is empty."""
    header = list(dict.fromkeys(name for one in people for name in one))
    lines = [",".join(one.get(name, "") for name in header) for one in people]
    return "\n".join([",".join(header), *lines]) + "\n"


def known_people() -> list[dict[str, str]]:
    """Those whom `mixed_rows` takes for known."""
    return [
        {"family_name": f"Known{n}", "ssn": f"K{n}", "date_of_birth": "1980-05-05"}
        for n in range(0, ROWS, 8)
    ]


def mixed_rows() -> list[dict[str, str]]:
    """Of every kind; the second row about a person of the same batch ends that batch, so there are many."""
    people = [
        {"family_name": f"Row{n}", "ssn": f"S{n}", "sex": "", "deceased_on": ""}
        for n in range(ROWS)
    ]
    for n in range(0, ROWS, EVERY):
        people[n + 1]["sex"] = "Q"  # Refused.
        people[n + 3] = people[n + 2]  # A duplicate.
        people[n + 5] = people[n + 4] | {"city": "Salem"}  # Fills a blank of the row before.
    for n in range(0, ROWS, 8):
        people[n] = {"ssn": f"K{n}"} | ({"city": "Lowell", "passport": f"P{n}"} if n % 16 else {})
    people[ROWS // 2] = {
        "ssn": f"K{ROWS // 2}",
        "deceased_on": "1970-01-01",
    }  # Only the record shows that it is wrong.
    return people


def as_ndjson(*resources: dict[str, Any]) -> str:
    return "".join(json.dumps({"resourceType": "Patient", **one}) + "\n" for one in resources)


def import_file(path: Path, *options: str) -> tuple[int, dict[str, Any]]:
    """The exit code and the report of `manage.py import_patients`."""
    out = io.StringIO()
    try:
        call_command(
            "import_patients", str(path), "--json", *options, stdout=out, stderr=io.StringIO()
        )
    except SystemExit as ended:
        return int(ended.code or 0), json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


def counts(report: dict[str, Any]) -> dict[str, int]:
    """What happened to at least one row."""
    names = ("new", "updated", "unchanged", "duplicates", "rejected")
    return {name: report[name] for name in names if report[name]}
