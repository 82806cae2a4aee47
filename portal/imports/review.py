"""The review of a dry run: rows that a user may decide about, and the row decisions."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from portal.accounts.models import User
from portal.errors import Conflict
from portal.imports.matching.lookup import DATES
from portal.imports.models import Choice, Doubt, ImportJob, ImportQuestion, JobStatus
from portal.patients.audit import record_access
from portal.patients.models import Patient, Sex, Source
from portal.patients.reference.identifier_systems import system_name
from portal.patients.selectors import patients_visible_to
from portal.stored_dates import date_from_text
from portal.text import clean_entry

_NOT_SHOWN = {"phone_e164", "date_of_birth_precision"}
# What may be chosen for each doubt. The first is what happens without a choice, except for
# possible duplicates: see DuplicatePolicy.
CHOICES: dict[str, list[Choice]] = {
    Doubt.SAME_NAME_AND_BIRTH: [Choice.SKIP, Choice.UPDATE, Choice.NEW],
    Doubt.DIFFERENT_PERSON: [Choice.SKIP, Choice.UPDATE, Choice.NEW],
    Doubt.CONFLICT: [Choice.SKIP, Choice.UPDATE, Choice.NEW],
    Doubt.OVERWRITE: [Choice.UPDATE, Choice.FILL, Choice.SKIP],
    Doubt.SET_ASIDE: [Choice.KEEP, Choice.UPDATE, Choice.FILL, Choice.SKIP],
    Doubt.POSSIBLE_DUPLICATE: [Choice.NEW, Choice.UPDATE, Choice.SKIP],
}


@dataclass(frozen=True)
class ReviewRow:
    """A question about a row, and the patients it is about, as far as they are on record."""

    question: ImportQuestion
    patients: list[Patient]


def count_undecided(job: ImportJob) -> int:
    """Returns how many people may be registered already and have no row decision."""
    return job.questions.filter(doubt=Doubt.POSSIBLE_DUPLICATE, choice="").count()


def first_possible_duplicates(job: ImportJob, *, limit: int) -> list[ImportQuestion]:
    """Returns the first rows whose people may be registered already, in the file's order."""
    questions = job.questions.filter(doubt=Doubt.POSSIBLE_DUPLICATE)
    return list(questions.order_by("row_number")[:limit])


def count_questions(job: ImportJob) -> list[tuple[Doubt, int, int]]:
    """Returns for each doubt that occurs: how many rows, and how many of them are decided."""
    total, decided = Counter[str](), Counter[str]()
    rows = job.questions.order_by().values_list("doubt", "choice").annotate(rows=Count("pk"))
    for doubt, choice, count in rows:
        total[doubt] += count
        if choice:
            decided[doubt] += count
    return [(doubt, total[doubt], decided[doubt]) for doubt in Doubt if total[doubt]]


def review_rows(
    user: User | None, job: ImportJob, *, doubt: str, after: int, limit: int
) -> tuple[list[ReviewRow], bool]:
    """Returns the next questions of a doubt, after row `after`, and whether more follow.

    The access to their patients is recorded.
    """
    following = job.questions.filter(doubt=doubt, row_number__gt=after).order_by("row_number")
    questions = list(following[: limit + 1])
    has_more = len(questions) > limit
    questions = questions[:limit]
    ids = {UUID(patient_id) for question in questions for patient_id in question.people}
    patients = patients_visible_to(user).prefetch_related("identifiers").in_bulk(ids)
    record_access(user, patients, action="review", channel=Source.PORTAL)
    rows = []
    for question in questions:
        known = [patients.get(UUID(patient_id)) for patient_id in question.people]
        rows.append(ReviewRow(question, [patient for patient in known if patient]))
    return rows, has_more


@transaction.atomic
def save_choices(job_id: UUID, decided: Sequence[ImportQuestion], *, by: User | None) -> None:
    """Saves choices, set on questions of this job, for its import. Conflict once that has begun."""
    _lock_reviewable(job_id)
    for question in decided:
        question.reason = clean_entry(question.reason, pointer="reason")
        question.chosen_by, question.chosen_at = by, timezone.now()
    ImportQuestion.objects.bulk_update(
        decided, ["choice", "patient_id", "reason", "chosen_by", "chosen_at"]
    )


@transaction.atomic
def save_choice_for_rest(
    job_id: UUID, doubt: str, *, choice: str, reason: str, by: User | None
) -> int:
    """Saves the same choice for all rows of a doubt that have none, and returns how many.

    Where several patients might be meant, a user has to say which, so an update leaves those rows
    as they are.
    """
    reason = clean_entry(reason, pointer="reason")
    rest = _lock_reviewable(job_id).questions.filter(doubt=doubt, choice="")
    if choice in (Choice.UPDATE, Choice.FILL):
        rest = rest.filter(people__0__isnull=False, people__1__isnull=True)
    return rest.update(choice=choice, reason=reason, chosen_by=by, chosen_at=timezone.now())


def _lock_reviewable(job_id: UUID) -> ImportJob:
    job = ImportJob.objects.select_for_update().get(pk=job_id)
    if not job.dry_run or job.status != JobStatus.DONE or job.applied_job:
        raise Conflict("Rows can be reviewed after the trial and before the import.")
    return job


def compare_fields(row: ReviewRow) -> list[dict[str, Any]]:
    """Returns field by field what the row says, and what each patient's record says.

    Of each patient it is the text and whether that differs from the row.
    """
    compared = []
    for name, value in row.question.details.items():
        if name not in _NOT_SHOWN:
            recorded = [_compare_field(patient, name, value) for patient in row.patients]
            compared.append({"name": name, "new": _text(name, value), "recorded": recorded})
    return compared


def _compare_field(patient: Patient, name: str, new: Any) -> tuple[str, bool]:
    if name == "identifiers":
        held = [
            {"system": identifier.system, "value": identifier.value}
            for identifier in patient.identifiers.all()
        ]
        return _text(name, held), any(identifier not in held for identifier in new)
    value = getattr(patient, name)
    old = "" if value is None else str(value)
    return _text(name, old), old != new


def _text(name: str, value: Any) -> str:
    if isinstance(value, list):
        texts = [f"{system_name(pair['system'])} {pair['value']}" for pair in value]
        return ", ".join(texts)
    if name == "sex" and value in Sex.values:
        return Sex(value).label
    if name in DATES and value:
        return f"{date_from_text(value):%d-%b-%Y}"
    return str(value)
