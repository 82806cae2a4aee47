"""The steps of an import as the pages name them, and the address of each."""

from dataclasses import dataclass

from django.urls import reverse

from portal.imports.models import ImportJob, JobStatus

UPLOAD, COLUMNS, TRIAL, REVIEW, IMPORT = "Upload", "Columns", "Trial", "Review", "Import"
NAMES = [UPLOAD, COLUMNS, TRIAL, REVIEW, IMPORT]


@dataclass(frozen=True)
class Step:
    """One step; `url` is empty if it cannot be opened now."""

    number: int
    name: str
    url: str
    is_current: bool
    is_skipped: bool = False


def wizard_steps(job: ImportJob | None, current: str) -> list[Step]:
    """Returns the steps of the job's file, or of a file to be uploaded.

    There are none for an import by the command.
    """
    dry_run = job if job is None or job.dry_run else job.trial
    if job and not dry_run:
        return []
    urls = _urls(dry_run) if dry_run else {}
    skipped = _skipped(dry_run) if dry_run else []
    steps = []
    for number, name in enumerate(NAMES, start=1):
        is_current = name == current
        url = "" if is_current else urls.get(name, "")
        steps.append(Step(number, name, url, is_current, name in skipped))
    return steps


def _urls(dry_run: ImportJob) -> dict[str, str]:
    """Returns the addresses of the steps that can be opened now."""
    applied = dry_run.applied_job
    urls = {UPLOAD: reverse("imports:list")}
    is_at_rest = dry_run.is_ended or dry_run.status == JobStatus.MAPPING
    if dry_run.is_table and is_at_rest and not applied:
        urls[COLUMNS] = reverse("imports:columns", args=[dry_run.pk])
    if dry_run.status != JobStatus.MAPPING:
        urls[TRIAL] = reverse("imports:show", args=[dry_run.pk])
    if not applied and dry_run.status == JobStatus.DONE and dry_run.questions.exists():
        urls[REVIEW] = reverse("imports:review", args=[dry_run.pk])
    if applied:
        urls[IMPORT] = reverse("imports:show", args=[applied.pk])
    return urls


def _skipped(dry_run: ImportJob) -> list[str]:
    """Returns the steps that this file does not need."""
    skipped = [] if dry_run.is_table else [COLUMNS]
    if dry_run.status == JobStatus.DONE and not dry_run.questions.exists():
        skipped.append(REVIEW)
    return skipped
