"""Room on the disks: whether an error means that there is none, and how much is left."""

import errno
import os
from pathlib import Path

import psycopg2.errors
from django.conf import settings

LOW_SHARE = 2  # Times the largest file that may be imported: less room than that is too little.


def means_full_disk(error: BaseException | None) -> bool:
    """Returns whether a disk had no room: one of ours, or that of the database."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return isinstance(error and error.__cause__, psycopg2.errors.DiskFull)


def free_bytes() -> int:
    """Returns the room where uploaded files are kept; 0 where the folder is not there."""
    try:
        room = os.statvfs(Path(settings.DATA_DIR))
    except OSError:
        return 0
    return room.f_bavail * room.f_frsize


def has_room() -> bool:
    """Returns whether the next uploads will find room."""
    return free_bytes() >= LOW_SHARE * settings.IMPORT_MAX_BYTES
