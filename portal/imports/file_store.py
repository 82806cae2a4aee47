"""The files of imports on the disk: stored, recognised, and deleted when they are not needed."""

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone

from portal.accounts.models import User
from portal.errors import TooLarge, Unprocessable
from portal.imports.models import ENDED, ImportJob, JobStatus
from portal.imports.readers import TableFile, Unreadable, open_patients, recognise_file
from portal.text import clean_text

TIME_TO_LIVE = timedelta(days=7)  # Of a file whose job has ended.
SAMPLES = 3  # Values of each column that the page shows.


def store_file(
    chunks: Iterable[bytes],
    *,
    name: str,
    by: User | None,
    mapping: Sequence[str] = (),
    encoding: str = "",
    values: Mapping[str, Mapping[str, str]] | None = None,
    date_order: str = "",
    asks_for_columns: bool = False,
) -> ImportJob:
    """Returns an unsaved job whose file is stored, readable by this system user alone.

    After an error no file stays behind. With `asks_for_columns` a user is going to say what the
    columns of a table become, so their names need not be known.
    """
    job = ImportJob(
        original_name=clean_text(Path(name).name)[:255],
        by=by,
        mapping=list(mapping),
        encoding=encoding,
    )
    job.values, job.date_order = dict(values or {}), date_order
    job.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        job.size_bytes, job.sha256 = _write(chunks, job.path)
        file = recognise_file(job.path, assumes_encoding=True) if asks_for_columns else None
        if isinstance(file, TableFile):
            job.status = JobStatus.MAPPING
            describe_table(job, file)
        else:
            file = file or open_patients(job.path, mapping, **job.reading)
            job.ignored_columns = file.ignored
            job.encoding = getattr(file, "encoding", "")
    except Unreadable as error:
        job.path.unlink()
        raise Unprocessable(str(error)) from error
    except BaseException:
        job.path.unlink(missing_ok=True)
        raise
    job.file_format, job.header = file.format, file.header
    return job


def describe_table(job: ImportJob, file: TableFile) -> None:
    """Keeps what a person needs to see to set the columns; Unreadable if it is no table."""
    if len(file.header) < 2:
        file.require_columns()  # A single column of an unknown name is prose, not a table.
    job.encoding, job.header, job.samples = file.encoding, file.header, file.samples(SAMPLES)
    job.column_facts = file.column_facts()
    job.numeric_columns = sorted(file.numeric)


def hand_over_to_unfinished(job: ImportJob) -> ImportJob | None:
    """Returns the same import if it has not ended, and gives it the file that `job` stored.

    That is an import of the same file by the same user with the same settings.
    """
    same = ImportJob.objects.filter(
        sha256=job.sha256,
        size_bytes=job.size_bytes,
        by=job.by,
        allow_duplicates=job.allow_duplicates,
        mapping=job.mapping,
        likely=job.likely,
        encoding=job.encoding,
        values=job.values,
        date_order=job.date_order,
        dry_run=False,
    )
    unfinished = same.filter(status__in=[JobStatus.WAITING, JobStatus.RUNNING])
    found = unfinished.order_by("created_at").first()
    if found:
        job.path.replace(found.path)
    return found


def delete_old_files() -> int:
    """Deletes files of jobs that ended a week ago, and files without a job; returns how many.

    A dry run whose columns were not set for a week fails.
    """
    long_ago = timezone.now() - TIME_TO_LIVE
    ImportJob.objects.filter(status=JobStatus.MAPPING, created_at__lt=long_ago).update(
        status=JobStatus.FAILED,
        message="Its columns were never set. Upload it again.",
        finished_at=F("created_at"),
    )
    long_ended = ImportJob.objects.filter(status__in=ENDED, finished_at__lt=long_ago)
    has_values = ~Q(samples=[]) | ~Q(first_rows=[]) | ~Q(column_facts=[])
    long_ended.filter(has_values).update(samples=[], first_rows=[], column_facts=[])
    needed = ImportJob.objects.exclude(status__in=ENDED, finished_at__lt=long_ago)
    names = {job_id.hex for job_id in needed.values_list("pk", flat=True)}
    count = 0
    for path in (Path(settings.DATA_DIR) / "imports").glob("*"):
        if path.name not in names and path.stat().st_mtime < long_ago.timestamp():
            path.unlink(missing_ok=True)
            count += 1
    return count


def _write(chunks: Iterable[bytes], path: Path) -> tuple[int, str]:
    """Returns the size in bytes and the SHA-256 digest of what was written."""
    size, digest = 0, hashlib.sha256()
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        for chunk in chunks:
            size += len(chunk)
            if size > settings.IMPORT_MAX_BYTES:
                limit = f"{settings.IMPORT_MAX_BYTES // 1024**2} MB"
                raise TooLarge(f"The file is larger than {limit}. Split it.")
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return size, digest.hexdigest()
