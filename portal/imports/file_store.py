"""The files of imports on our disk: taken in, recognised, and removed when nobody needs them."""

import hashlib
import os
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from portal.accounts.models import User
from portal.errors import TooLarge, Unprocessable
from portal.imports.models import ENDED, ImportJob, JobStatus
from portal.imports.readers import TableFile, Unreadable, open_patients, recognise_file

KEPT = timedelta(days=7)
SAMPLES = 3


def store_file(
    chunks: Iterable[bytes],
    *,
    name: str,
    by: User | None,
    mapping: Sequence[str] = (),
    encoding: str = "",
    asks_for_columns: bool = False,
) -> ImportJob:
    """An unsaved job whose file lies in our folder, readable for us alone; nothing stays behind after an error.

    With `asks_for_columns` a person is to say what the columns of a table become, so they need not be understood.
    """
    job = ImportJob(
        original_name=Path(name).name[:255], by=by, mapping=list(mapping), encoding=encoding
    )
    job.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        job.size_bytes, job.sha256 = _write(chunks, job.path)
        file = recognise_file(job.path, assumes_encoding=True) if asks_for_columns else None
        if isinstance(file, TableFile):
            job.status = JobStatus.MAPPING
            describe(job, file)
        else:
            file = file or open_patients(job.path, mapping, encoding=encoding)
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


def describe(job: ImportJob, file: TableFile) -> None:
    """Keep what a person needs to see to say what the columns become; Unreadable for what is no table."""
    refuse_single_column(file)
    job.encoding, job.header, job.samples = file.encoding, file.header, file.samples(SAMPLES)
    job.numeric_columns = sorted(file.numeric)


def refuse_single_column(file: TableFile) -> None:
    """One column of an unknown name is a text that somebody wrote, not a table."""
    if len(file.header) < 2:
        file.columns  # noqa: B018 - Unreadable, with what a header must be.


def hand_over_to_unfinished(job: ImportJob) -> ImportJob | None:
    """The import of the same file by the same user that has not ended; it gets the file that was kept for `job`."""
    same = ImportJob.objects.filter(
        sha256=job.sha256,
        size_bytes=job.size_bytes,
        by=job.by,
        allow_duplicates=job.allow_duplicates,
        dry_run=False,
    ).filter(mapping=job.mapping, likely=job.likely, encoding=job.encoding)
    found = (
        same.filter(status__in=[JobStatus.WAITING, JobStatus.RUNNING])
        .order_by("created_at")
        .first()
    )
    if found:
        job.path.replace(found.path)
    return found


def _write(chunks: Iterable[bytes], path: Path) -> tuple[int, str]:
    size, digest = 0, hashlib.sha256()
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        for chunk in chunks:
            size += len(chunk)
            if size > settings.IMPORT_MAX_BYTES:
                raise TooLarge(
                    f"The file is larger than {settings.IMPORT_MAX_BYTES // 1024**2} MB. Split it."
                )
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return size, digest.hexdigest()


def delete_old_files() -> int:
    """Remove files of jobs that ended a week ago, and files without a job; how many. Uploads left alone end so too."""
    long_ago = timezone.now() - KEPT
    ImportJob.objects.filter(status=JobStatus.MAPPING, created_at__lt=long_ago).update(
        status=JobStatus.FAILED,
        message="Its columns were never set. Upload it again.",
        finished_at=F("created_at"),
    )
    ImportJob.objects.filter(status__in=ENDED, finished_at__lt=long_ago).exclude(samples=[]).update(
        samples=[]
    )
    kept = ImportJob.objects.exclude(status__in=ENDED, finished_at__lt=long_ago)
    names = {pk.hex for pk in kept.values_list("pk", flat=True)}
    folder = Path(settings.DATA_DIR) / "imports"
    gone = [
        path
        for path in folder.glob("*")
        if path.name not in names and path.stat().st_mtime < long_ago.timestamp()
    ]
    for path in gone:
        path.unlink(missing_ok=True)
    return len(gone)
