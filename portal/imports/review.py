"""Rows of a trial that a person may decide about: what is asked, whom it is about, and what was chosen."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils import timezone

from portal.accounts.models import User
from portal.errors import Conflict
from portal.imports.matching.lookup import DATES
from portal.imports.models import Choice, Doubt, ImportJob, ImportQuestion, JobStatus
from portal.patients.audit import record_reading
from portal.patients.models import Patient, Sex, Source
from portal.patients.reference.identifier_systems import system_name
from portal.patients.selectors import patients_visible_to

_NOT_SHOWN = {"phone_e164", "date_of_birth_precision"}
# What may be chosen for each kind. The first is what happens without a choice, except for people alike: see Likely.
CHOICES: dict[str, list[Choice]] = {
    Doubt.LIKELY: [Choice.SKIP, Choice.UPDATE, Choice.NEW],
    Doubt.APART: [Choice.SKIP, Choice.UPDATE, Choice.NEW],
    Doubt.CONFLICT: [Choice.SKIP, Choice.UPDATE, Choice.NEW],
    Doubt.OVERWRITE: [Choice.UPDATE, Choice.FILL, Choice.SKIP],
    Doubt.ALIKE: [Choice.NEW, Choice.UPDATE, Choice.SKIP],
}


@dataclass(frozen=True)
class ReviewRow:
    """A question and the patients whom it is about, as far as they are on record and not only in the file."""

    question: ImportQuestion
    patients: list[Patient]


def count_undecided(job: ImportJob) -> int:
    """How many people may be registered already and have no choice of their own."""
    return job.questions.filter(doubt=Doubt.ALIKE, choice="").count()


def first_possible_duplicates(job: ImportJob, *, limit: int) -> list[ImportQuestion]:
    """The first rows whose people may be registered already, in the file's order."""
    return list(job.questions.filter(doubt=Doubt.ALIKE).order_by("row_number")[:limit])


def count_questions(job: ImportJob) -> list[tuple[Doubt, int, int]]:
    """For each kind that there is: how many rows, and how many of them a person has chosen for."""
    total, open_ones = Counter[str](), Counter[str]()
    rows = job.questions.order_by().values_list("doubt", "choice").annotate(rows=Count("pk"))
    for doubt, choice, count in rows:
        total[doubt] += count
        open_ones[doubt] += 0 if choice else count
    return [
        (doubt, total[doubt], total[doubt] - open_ones[doubt]) for doubt in Doubt if total[doubt]
    ]


def review_rows(
    user: User | None, job: ImportJob, *, doubt: str, after: int, limit: int
) -> tuple[list[ReviewRow], bool]:
    """The next questions of a kind, behind row `after`, and whether there are more behind them.

    The reading of their patients is recorded.
    """
    found = list(
        job.questions.filter(doubt=doubt, row_number__gt=after).order_by("row_number")[: limit + 1]
    )
    questions = found[:limit]
    ids = {UUID(one) for question in questions for one in question.people}
    known = patients_visible_to(user).prefetch_related("identifiers").in_bulk(ids)
    record_reading(user, known, action="review", channel=Source.PORTAL)
    asked = [
        ReviewRow(question, [known[UUID(one)] for one in question.people if UUID(one) in known])
        for question in questions
    ]
    return asked, len(found) > limit


@transaction.atomic
def choose(job_id: UUID, chosen: Sequence[ImportQuestion], *, by: User | None) -> None:
    """Keep choices, set on questions of this job, for its import. Conflict once that has begun."""
    _open_trial(job_id)
    for question in chosen:
        question.chosen_by, question.chosen_at = by, timezone.now()
    ImportQuestion.objects.bulk_update(
        chosen, ["choice", "patient_id", "reason", "chosen_by", "chosen_at"]
    )


@transaction.atomic
def save_choice_for_rest(
    job_id: UUID, doubt: str, *, choice: str, reason: str, by: User | None
) -> int:
    """The same choice for all rows of a kind that have none yet; how many. Where several patients might be meant,
    a person has to say which, so an update leaves those rows as they are.
    """
    rest: QuerySet[ImportQuestion] = _open_trial(job_id).questions.filter(doubt=doubt, choice="")
    if choice in (Choice.UPDATE, Choice.FILL):
        rest = rest.filter(people__0__isnull=False, people__1__isnull=True)
    return rest.update(choice=choice, reason=reason, chosen_by=by, chosen_at=timezone.now())


def _open_trial(job_id: UUID) -> ImportJob:
    job = ImportJob.objects.select_for_update().get(pk=job_id)
    if not job.dry_run or job.status != JobStatus.DONE or job.run:
        raise Conflict("Rows can be reviewed after the trial and before the import.")
    return job


def compare_fields(asked: ReviewRow) -> list[dict[str, Any]]:
    """Field by field what the row says, and for each patient what is recorded and whether that is something else."""
    shown = {
        name: value for name, value in asked.question.details.items() if name not in _NOT_SHOWN
    }
    return [
        {
            "name": name,
            "new": _in_words(name, value),
            "there": [_recorded(one, name, value) for one in asked.patients],
        }
        for name, value in shown.items()
    ]


def _recorded(patient: Patient, name: str, new: Any) -> tuple[str, bool]:
    if name == "identifiers":
        held = [{"system": one.system, "value": one.value} for one in patient.identifiers.all()]
        return _in_words(name, held), any(one not in held for one in new)
    value = getattr(patient, name)
    there = "" if value is None else str(value)
    return _in_words(name, there), there != new


def _in_words(name: str, value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(f"{system_name(one['system'])} {one['value']}" for one in value)
    if name == "sex":
        return Sex(value).label if value in Sex.values else str(value)
    return f"{date.fromisoformat(value):%d-%b-%Y}" if value and name in DATES else str(value)
