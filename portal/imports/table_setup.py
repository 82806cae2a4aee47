"""What a person settles of a trial before it is carried out: what its columns become."""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from portal.errors import Conflict, Unprocessable
from portal.imports.file_store import describe
from portal.imports.models import ENDED, ImportJob, JobStatus
from portal.imports.profiles import mapping_for, profiles_for
from portal.imports.readers import TableFile, Unreadable, recognise_file
from portal.imports.readers.columns import guess_fields, understand_header
from portal.imports.readers.encodings import byte_order_mark
from portal.imports.services import nudge


def suggested_mapping(job: ImportJob) -> tuple[list[str], str]:
    """What its columns might become, and the name of the saved columns that say so.

    As it was set already, else as the last file with this header, else as the names of the columns mean.
    """
    if job.mapping:
        return job.mapping, ""
    for profile in profiles_for(job.header):
        return mapping_for(profile, job.header), profile.name
    return guess_fields(job.header), ""


def has_mark(job: ImportJob) -> bool:
    """Whether the file begins with a byte order mark: then its encoding is no question."""
    try:
        with job.path.open("rb") as file:
            return bool(byte_order_mark(file.read(4))[0])
    except FileNotFoundError:
        return False


@transaction.atomic
def set_columns(job_id: UUID, mapping: Sequence[str]) -> ImportJob:
    """Have a trial begin, or begin anew, with these columns. Unprocessable if nobody can be made out of them.

    Conflict while the trial runs, and once its file was imported.
    """
    job = ImportJob.objects.select_for_update().get(pk=job_id)
    refuse_unless_open(job)
    try:
        job.ignored_columns = understand_header(job.header, mapping).ignored
    except Unreadable as error:
        raise Unprocessable(str(error)) from error
    job.mapping, job.status, job.message = list(mapping), JobStatus.WAITING, ""
    job.finished_at, job.attempts = None, 0
    job.save()
    transaction.on_commit(lambda: nudge(job_id))
    return job


@transaction.atomic
def set_encoding(job_id: UUID, encoding: str) -> ImportJob:
    """Read a trial's CSV file anew in this encoding, before its columns are set. Unprocessable if it cannot be so.

    Conflict as for its columns.
    """
    job = ImportJob.objects.select_for_update().get(pk=job_id)
    refuse_unless_open(job)
    try:
        file = recognise_file(job.path, encoding=encoding)
        if not isinstance(file, TableFile) or not file.encoding:
            raise Conflict("Only a CSV file has an encoding.")
        describe(job, file)
    except Unreadable as error:
        raise Unprocessable(str(error)) from error
    job.mapping, job.status, job.message, job.finished_at = [], JobStatus.MAPPING, "", None
    job.save()
    return job


def refuse_unless_open(job: ImportJob) -> None:
    """Conflict unless this is a trial of a table at rest whose file was not imported."""
    if not (job.dry_run and job.is_table):
        raise Conflict("Only a trial of a table has columns to set.")
    if job.status not in [JobStatus.MAPPING, *ENDED]:
        raise Conflict("The trial runs. Wait until it has ended, then change its columns.")
    if not job.path.exists():
        raise Conflict("The file is not kept any more. Upload it again.")
    if job.run:
        raise Conflict(
            "This file was imported already. Upload it again to import it with other columns."
        )
