"""What several web processes have counted, added up.

Each process writes its figures to a file now and then; the one that is asked reads all files. The
library's own way maps files into memory, and a write to a mapped file kills the process where the
disk is full. Here the figures of the others are older until there is room.
"""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from prometheus_client import REGISTRY, Metric
from prometheus_client.registry import Collector

FOLDER_VARIABLE = "PORTAL_FIGURES_DIR"  # Set by gunicorn.py where there are several processes.
OURS = "portal_"  # Figures of the process itself, such as its memory, are not added up.
ENDED = "ended"  # The file with the figures of all processes that have ended.

Family = dict[str, Any]


class WebFigures(Collector):
    """The figures of all web processes; `name` is that of the process which asks."""

    def __init__(self, folder: Path, *, name: str, own: Collector) -> None:
        self._folder, self._name, self._own = folder, name, own

    def publish(self) -> None:
        """Writes this process's figures for the others. Raises OSError where there is no room."""
        _write(self._folder, self._name, _families(self._own.collect()))

    def collect(self) -> Iterator[Metric]:
        """Yields each figure: this process's as it is now, those of the others as published."""
        with _locked(self._folder, fcntl.LOCK_SH):
            others = [
                _read(file) for file in self._folder.glob("*.json") if file.stem != self._name
            ]
        return _metrics(_add_up([_families(self._own.collect()), *others]))


def web_figures() -> WebFigures | None:
    """Returns the figures of all web processes; None where there is one."""
    folder = os.environ.get(FOLDER_VARIABLE)
    return WebFigures(Path(folder), name=str(os.getpid()), own=REGISTRY) if folder else None


def keep_figures_of_ended(folder: Path, name: str) -> None:
    """Adds the file of a process that has ended to that of all which ended before.

    Raises OSError where there is no room; then the process keeps its file.
    """
    with _locked(folder, fcntl.LOCK_EX):
        files = [folder / f"{ENDED}.json", folder / f"{name}.json"]
        found = [_read(file) for file in files if file.exists()]
        _write(folder, ENDED, _add_up(found))
        files[1].unlink(missing_ok=True)


def _families(metrics: Iterable[Metric]) -> dict[str, Family]:
    return {
        metric.name: {
            "help": metric.documentation,
            "type": metric.type,
            "samples": [
                [sample.name, sample.labels, sample.value]
                for sample in metric.samples
                if not sample.name.endswith("_created")
            ],
        }
        for metric in metrics
        if metric.name.startswith(OURS)
    }


def _add_up(processes: Iterable[dict[str, Family]]) -> dict[str, Family]:
    total: dict[str, Family] = {}
    values: dict[tuple[str, str, str], list[Any]] = {}
    for families in processes:
        for name, family in families.items():
            samples = total.setdefault(name, {**family, "samples": []})["samples"]
            for sample, labels, value in family["samples"]:
                key = (name, sample, json.dumps(labels, sort_keys=True))
                if key in values:
                    values[key][2] += value
                else:
                    values[key] = [sample, labels, value]
                    samples.append(values[key])
    return total


def _metrics(families: dict[str, Family]) -> Iterator[Metric]:
    for name, family in families.items():
        metric = Metric(name, family["help"], family["type"])
        for sample, labels, value in family["samples"]:
            metric.add_sample(sample, labels, value)
        yield metric


def _read(file: Path) -> dict[str, Family]:
    with suppress(FileNotFoundError):  # Its process has ended meanwhile.
        families: dict[str, Family] = json.loads(file.read_text())
        return families
    return {}


def _write(folder: Path, name: str, families: dict[str, Family]) -> None:
    new = folder / f"{name}.new"
    try:
        new.write_text(json.dumps(families))
        new.replace(folder / f"{name}.json")
    finally:
        new.unlink(missing_ok=True)


@contextmanager
def _locked(folder: Path, kind: int) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, kind)
        yield
    finally:
        os.close(descriptor)
