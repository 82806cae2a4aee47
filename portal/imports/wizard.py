"""The steps of an import as the pages name them, and where each of them is."""

from dataclasses import dataclass

from django.urls import reverse

from portal.imports.models import ImportJob, JobStatus

UPLOAD, COLUMNS, TRIAL, REVIEW, IMPORT = "Upload", "Columns", "Trial", "Review", "Import"
NAMES = [UPLOAD, COLUMNS, TRIAL, REVIEW, IMPORT]


@dataclass(frozen=True)
class Step:
    """One step; `url` is empty where nobody can go now."""

    number: int
    name: str
    url: str
    is_current: bool
    is_skipped: bool = False


def wizard_steps(job: ImportJob | None, current: str) -> list[Step]:
    """All steps of the job's file, or those of a file that is yet to come; none for an import by command."""
    trial = job if job is None or job.dry_run else job.trial
    if job and not trial:
        return []
    places = _places(trial) if trial else {}
    skipped = _skipped(trial) if trial else []
    return [
        Step(
            number,
            name,
            "" if name == current else places.get(name, ""),
            name == current,
            name in skipped,
        )
        for number, name in enumerate(NAMES, start=1)
    ]


def _places(trial: ImportJob) -> dict[str, str]:
    run = trial.run
    places = {UPLOAD: reverse("imports:list")}
    if trial.is_table and not run and (trial.is_ended or trial.status == JobStatus.MAPPING):
        places[COLUMNS] = reverse("imports:columns", args=[trial.pk])
    if trial.status != JobStatus.MAPPING:
        places[TRIAL] = reverse("imports:show", args=[trial.pk])
    if not run and trial.status == JobStatus.DONE and trial.questions.exists():
        places[REVIEW] = reverse("imports:review", args=[trial.pk])
    if run:
        places[IMPORT] = reverse("imports:show", args=[run.pk])
    return places


def _skipped(trial: ImportJob) -> list[str]:
    """What this file does not need."""
    has_none = trial.status == JobStatus.DONE and not trial.questions.exists()
    return ([] if trial.is_table else [COLUMNS]) + ([REVIEW] if has_none else [])
