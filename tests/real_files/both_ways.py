"""Tries a file and imports it, and compares all that the trial foretold with what happened."""

import io
import json
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management import CommandError, call_command

from portal.imports.matching.decision import Decision
from portal.imports.matching.rules import ImportOptions
from portal.imports.models import ImportedRow, Outcome
from portal.imports.pipeline.dry_run import DryRun
from portal.imports.pipeline.job_store import ReadOnlyProgressStore
from portal.imports.pipeline.runner import run
from portal.imports.readers import Unreadable, open_patients
from portal.patients.fields import ENTERED
from portal.patients.models import Patient, PatientIdentifier

# What differs between a trial and an import by their nature.
_OWN = {"dryRun", "job", "seconds", "rowsPerSecond", "rejectsFile", "changesFile"}
_COUNTS = ("new", "updated", "unchanged", "duplicates", "rejected")
_IDENTIFIER = ("system", "value", "valid_from", "valid_to")
Person = dict[str, Any]


@dataclass(frozen=True)
class FileOutcome:
    """What became of a file: the command's exit code, its message, and its report.

    `people` has the values of each patient as stored, without those that are blank, in the order of
    their first rows.
    """

    code: int
    message: str = ""
    report: dict[str, Any] = field(default_factory=dict)
    people: list[Person] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """The counts of rows that are not zero."""
        return {name: self.report[name] for name in _COUNTS if self.report.get(name)}

    @property
    def reasons(self) -> list[str]:
        """Column and reason of each problem, in the order of the rows."""
        problems = self.report.get("firstProblems", [])
        return [": ".join(filter(None, (p["column"], p["reason"]))) for p in problems]


def import_both_ways(path: Path, *options: str, folder: Path) -> FileOutcome:
    """Returns the outcome of a file's import; AssertionError if its trial was another one."""
    known = Patient.objects.count()
    tried = _run_command(path, folder / "tried", "--dry-run", *options)
    assert Patient.objects.count() == known, "The trial wrote patients."
    foretold = _foretell(path) if not options else None
    done = _run_command(path, folder / "done", *options)
    if not done.report:
        assert _compared(tried) == _compared(done)
        return done
    rows = _rows_by_label(done)
    assert _compared(tried) == _as_in_a_trial(_compared(done), rows)
    for name in ("rejects", "changes"):
        texts = [_text(folder / way / f"{name}.csv") for way in ("tried", "done")]
        assert texts[0] == _as_in_a_trial(texts[1], rows), f"The files of {name} differ."
    stored = _stored_people(UUID(done.report["job"]))
    if foretold is not None:
        assert foretold == stored
    return FileOutcome(done.code, "", done.report, [_without_blanks(person) for person in stored])


def _run_command(path: Path, folder: Path, *options: str) -> FileOutcome:
    folder.mkdir(exist_ok=True)
    out = io.StringIO()
    files = ["--rejects", str(folder / "rejects.csv"), "--changes", str(folder / "changes.csv")]
    code = 0
    try:
        call_command(
            "import_patients",
            *(str(path), "--json", *files, *options),
            stdout=out,
            stderr=io.StringIO(),
        )
    except CommandError as error:
        return FileOutcome(error.returncode, str(error))
    except SystemExit as stop:
        code = int(stop.code or 0)
    return FileOutcome(code, "", json.loads(out.getvalue()))


def _compared(outcome: FileOutcome) -> dict[str, Any]:
    report = {name: value for name, value in outcome.report.items() if name not in _OWN}
    return {"code": outcome.code, "message": outcome.message, "report": report}


def _rows_by_label(done: FileOutcome) -> dict[str, str]:
    """Returns what a trial calls the new patients, by what an import calls them."""
    rows = ImportedRow.objects.filter(job=done.report["job"], outcome=Outcome.NEW)
    numbers = dict(rows.values_list("patient_id", "row_number"))
    mrns = Patient.objects.filter(pk__in=numbers).values_list("pk", "mrn")
    return {f"MRN {mrn}": f"the patient of row {numbers[pk]}" for pk, mrn in mrns}


def _as_in_a_trial(value: Any, rows: dict[str, str]) -> Any:
    text = json.dumps(value)
    for label, row in rows.items():
        text = text.replace(label, row)
    return json.loads(text)


def _text(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""


def _foretell(path: Path) -> list[Person] | None:
    """Returns the patients as the decisions of a dry run would leave them."""
    decisions: list[Decision] = []
    try:
        file = open_patients(path)
    except Unreadable:
        return None
    options = ImportOptions(allow_duplicates=False)
    progress = ReadOnlyProgressStore()
    with closing(DryRun()) as patients:
        run(
            file,
            patients=patients,
            progress=progress,
            options=options,
            on_batch=decisions.extend,
        )
    people: dict[UUID, Person] = {}
    for decision in decisions:
        if decision.patient_id is None or decision.outcome == Outcome.REJECTED:
            continue
        person = people.setdefault(decision.patient_id, _recorded(decision.patient_id))
        identifiers = person.pop("identifiers", []) + decision.details.get("identifiers", [])
        person |= decision.details
        person["identifiers"] = _sorted(identifiers)
    return [_comparable(person) for person in people.values()]


def _recorded(patient_id: UUID) -> Person:
    """Returns the values of a patient who is registered; {} for one who is not."""
    values = Patient.objects.filter(pk=patient_id).values(*ENTERED, "phone_e164", "status").first()
    if values is None:
        return {"status": "active"}
    held = PatientIdentifier.objects.filter(patient=patient_id).values(*_IDENTIFIER)
    return values | {"identifiers": list(held)}


def _stored_people(job_id: UUID) -> list[Person]:
    rows = ImportedRow.objects.filter(job=job_id).order_by("row_number")
    ids = dict.fromkeys(rows.values_list("patient_id", flat=True))
    return [_comparable(_recorded(patient_id)) for patient_id in ids]


def _comparable(person: Person) -> Person:
    person["identifiers"] = _sorted(person.get("identifiers", []))
    person.pop("phone_e164", None)  # The services compute it, when the phone is written.
    return person


def _sorted(identifiers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns each identifier once with its days, in one order."""
    blank = dict.fromkeys(_IDENTIFIER)
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for item in identifiers:
        key = item["system"], item["value"]
        found[key] = found.get(key, blank) | item  # Days that a row does not name stay.
    return [found[key] for key in sorted(found)]


def _without_blanks(person: Person) -> Person:
    """Returns what a file said of a person: texts, and identifiers as `system|value|from|to`."""
    said = {
        name: str(value)
        for name, value in person.items()
        if value and name not in ("identifiers", "registered_on", "phone_e164")
    }
    for name, usual in (("sex", "unknown"), ("date_of_birth_precision", "day")):
        if said.get(name) == usual:
            del said[name]
    if said["status"] == "active":
        del said["status"]
    if person["identifiers"]:
        parts = [[str(item[name] or "") for name in _IDENTIFIER] for item in person["identifiers"]]
        said["identifiers"] = ["|".join(part).rstrip("|") for part in parts]
    return said
