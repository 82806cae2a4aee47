"""What a user sets of a table before its dry run: its encoding, and what its columns become."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db import transaction

from portal.errors import Conflict, Unprocessable
from portal.imports.file_store import describe_table
from portal.imports.models import ENDED, ImportJob, JobStatus, MappingProfile
from portal.imports.pipeline.execution import wake_worker
from portal.imports.profiles import mapping_for, profiles_for
from portal.imports.readers import TableFile, TableSettings, Unreadable, recognise_file
from portal.imports.readers.columns import guess_fields, understand_header
from portal.imports.readers.encodings import byte_order_mark


@dataclass(frozen=True)
class ColumnSetup:
    """What columns and their values become; `profile_name` is what that is saved under."""

    mapping: Sequence[str]
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    date_order: str = ""
    profile_name: str = ""


def suggested_setup(job: ImportJob) -> ColumnSetup:
    """Returns what the columns might become.

    The columns as they were set before, else as those of the last file with this header, else as
    their names say.
    """
    if job.mapping:
        return ColumnSetup(job.mapping, job.values, job.date_order)
    for profile in profiles_for(job.header):
        return profile_setup(profile, job.header)
    return ColumnSetup(guess_fields(job.header))


def profile_setup(profile: MappingProfile, header: Sequence[str]) -> ColumnSetup:
    """Returns the saved columns for a file with this header; errors as for `mapping_for`."""
    mapping = mapping_for(profile, header)
    return ColumnSetup(mapping, profile.values, profile.date_order, profile.name)


def has_mark(job: ImportJob) -> bool:
    """Tells whether the file begins with a byte order mark, which decides its encoding."""
    try:
        with job.path.open("rb") as file:
            encoding, _ = byte_order_mark(file.read(4))
    except FileNotFoundError:
        return False
    return bool(encoding)


@transaction.atomic
def set_columns(
    job_id: UUID,
    mapping: Sequence[str],
    *,
    values: Mapping[str, Mapping[str, str]] | None = None,
    date_order: str = "",
) -> ImportJob:
    """Starts a dry run, or starts it again, with these columns, values and order of dates.

    Unprocessable if no column names a patient. Conflict while the dry run runs, and once its file
    was imported.
    """
    job = ImportJob.objects.select_for_update().get(pk=job_id)
    refuse_unless_open(job)
    try:
        understand_header(job.header, mapping)
        file = recognise_file(job.path, TableSettings(mapping, job.encoding))
        job.ignored_columns = file.ignored
    except Unreadable as error:
        raise Unprocessable(str(error)) from error
    job.mapping, job.status, job.message = list(mapping), JobStatus.WAITING, ""
    job.values, job.date_order = dict(values or {}), date_order
    job.finished_at, job.attempts, job.first_rows = None, 0, []
    job.save()
    wake_worker(job_id)
    return job


@transaction.atomic
def set_encoding(job_id: UUID, encoding: str) -> ImportJob:
    """Reads the CSV file of a dry run again in this encoding, before its columns are set.

    Unprocessable if it is no table in this encoding. Conflict as for `set_columns`.
    """
    job = ImportJob.objects.select_for_update().get(pk=job_id)
    refuse_unless_open(job)
    try:
        file = recognise_file(job.path, TableSettings(encoding=encoding))
        if not isinstance(file, TableFile) or not file.encoding:
            raise Conflict("Only a CSV file has an encoding.")
        describe_table(job, file)
    except Unreadable as error:
        raise Unprocessable(str(error)) from error
    job.mapping, job.status, job.message, job.finished_at = [], JobStatus.MAPPING, "", None
    job.values, job.date_order = {}, ""
    job.save()
    return job


def refuse_unless_open(job: ImportJob) -> None:
    """Conflict unless this is a dry run of a table that is not running and was not imported."""
    if not (job.dry_run and job.is_table):
        raise Conflict("Only a trial of a table has columns to set.")
    if job.status not in [JobStatus.MAPPING, *ENDED]:
        raise Conflict("The trial runs. Wait until it has ended, then change its columns.")
    if not job.path.exists():
        raise Conflict("The file is not kept any more. Upload it again.")
    if job.applied_job:
        advice = "Upload it again to import it with other columns."
        raise Conflict(f"This file was imported already. {advice}")
