"""How much memory and log the embedded PostgreSQL gets, by the size of the machine."""

import os
from contextlib import suppress
from pathlib import Path

MB = 2**20
CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")  # A container's; `max` where it has none.


def machine_bytes() -> int:
    """Returns the memory that this machine, or this container, has."""
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with suppress(OSError, ValueError):
        total = min(total, int(CGROUP_LIMIT.read_text()))
    return total


def memory_settings(total: int) -> dict[str, str]:
    """Returns the settings of PostgreSQL for a machine with `total` bytes that it shares.

    Shared buffers become memory of the machine when they are first used, so that a small clinic
    takes no more of it than before.
    """
    return {
        "shared_buffers": _megabytes(total // 16, least=64, most=512),
        # What the planner believes to be cached, by the machine too. It reserves nothing.
        "effective_cache_size": _megabytes(total // 2, least=256, most=65536),
        # For each sort or hash table of each of up to 100 sessions.
        "work_mem": _megabytes(total // 1024, least=4, most=16),
        # For a new index, and for each of three processes that clean up.
        "maintenance_work_mem": _megabytes(total // 64, least=64, most=256),
        # Fewer checkpoints: the first change of a page after each writes the whole page to the log.
        "checkpoint_timeout": "15min",
        "max_wal_size": "2GB",
    }


def _megabytes(size: int, *, least: int, most: int) -> str:
    return f"{min(max(size // MB, least), most)}MB"
