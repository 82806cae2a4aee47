"""Processor time and memory of trees of processes."""

from collections.abc import Iterable
from contextlib import suppress

import psutil


def seconds_of(processes: Iterable[psutil.Process]) -> float:
    """Returns the processor time of these processes and all their children, ended ones too."""
    return sum(_each(process) for root in processes for process in tree_of(root))


def memory_of(processes: Iterable[psutil.Process]) -> float:
    """Returns the memory in MB: the sum of Pss, in which shared pages count once."""
    total = 0
    for root in processes:
        for process in tree_of(root):
            with suppress(psutil.Error):
                total += process.memory_full_info().pss
    return total / 2**20


def tree_of(root: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return [root, *root.children(recursive=True)]
    return []


def _each(process: psutil.Process) -> float:
    with suppress(psutil.Error):
        times = process.cpu_times()
        return times.user + times.system + times.children_user + times.children_system
    return 0.0
