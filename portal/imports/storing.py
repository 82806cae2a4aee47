"""The files of imports on our disk: taken in, recognised, and removed when nobody needs them."""

import hashlib
import os
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from portal.accounts.models import User
from portal.errors import TooLarge, Unprocessable
from portal.imports.models import ENDED, ImportJob, JobStatus
from portal.imports.readers import Unreadable, open_patients

KEPT = timedelta(days=7)


def keep_file(chunks: Iterable[bytes], *, name: str, by: User | None) -> ImportJob:
    """An unsaved job whose file lies in our folder, readable for us alone; nothing stays behind after an error."""
    job = ImportJob(original_name=Path(name).name[:255], by=by)
    job.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        job.size_bytes, job.sha256 = _write(chunks, job.path)
        file = open_patients(job.path)
    except Unreadable as error:
        job.path.unlink()
        raise Unprocessable(str(error)) from error
    except BaseException:
        job.path.unlink(missing_ok=True)
        raise
    job.file_format, job.header, job.ignored_columns = file.format, file.header, file.ignored
    return job


def take_up_unfinished(job: ImportJob) -> ImportJob | None:
    """The import of the same file by the same user that has not ended; it gets the file that was kept for `job`."""
    same = ImportJob.objects.filter(
        sha256=job.sha256, size_bytes=job.size_bytes, by=job.by, allow_duplicates=job.allow_duplicates, dry_run=False
    )
    found = same.filter(status__in=[JobStatus.WAITING, JobStatus.RUNNING]).order_by("created_at").first()
    if found:
        job.path.replace(found.path)
    return found


def _write(chunks: Iterable[bytes], path: Path) -> tuple[int, str]:
    size, digest = 0, hashlib.sha256()
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        for chunk in chunks:
            size += len(chunk)
            if size > settings.IMPORT_MAX_BYTES:
                raise TooLarge(f"The file is larger than {settings.IMPORT_MAX_BYTES // 1024**2} MB. Split it.")
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return size, digest.hexdigest()


def forget_files() -> int:
    """Remove files of jobs that ended a week ago, and files without a job; how many."""
    kept = ImportJob.objects.exclude(status__in=ENDED, finished_at__lt=timezone.now() - KEPT)
    names = {pk.hex for pk in kept.values_list("pk", flat=True)}
    folder = Path(settings.DATA_DIR) / "imports"
    old = (timezone.now() - KEPT).timestamp()
    gone = [path for path in folder.glob("*") if path.name not in names and path.stat().st_mtime < old]
    for path in gone:
        path.unlink(missing_ok=True)
    return len(gone)
