"""Files of made-up people, and the command that imports them."""

import io
import json
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
BEN = {"family_name": "Sample", "given_name": "Ben", "date_of_birth": "1990-12-01", "sex": "male", "ssn": "999-00-0002"}


def as_csv(*people: dict[str, str]) -> str:
    """The people under our own column names; a cell that one of them lacks is empty."""
    header = list(dict.fromkeys(name for one in people for name in one))
    lines = [",".join(one.get(name, "") for name in header) for one in people]
    return "\n".join([",".join(header), *lines]) + "\n"


def as_ndjson(*resources: dict[str, Any]) -> str:
    return "".join(json.dumps({"resourceType": "Patient", **one}) + "\n" for one in resources)


def import_file(path: Path, *options: str) -> tuple[int, dict[str, Any]]:
    """The exit code and the report of `manage.py import_patients`."""
    out = io.StringIO()
    try:
        call_command("import_patients", str(path), "--json", *options, stdout=out, stderr=io.StringIO())
    except SystemExit as ended:
        return int(ended.code or 0), json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


def counts(report: dict[str, Any]) -> dict[str, int]:
    """What happened to at least one row."""
    names = ("new", "updated", "unchanged", "duplicates", "rejected")
    return {name: report[name] for name in names if report[name]}
