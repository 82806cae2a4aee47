"""Reads and checks the rows of a file; those of a large one in a process of its own, ahead.

While a batch is written, that process reads the next one. It is started as a program, and not
forked: it has no connection of the database, whatever process starts it. A full pipe holds it back,
so that memory stays flat.
"""

import os
import pickle
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import closing
from itertools import chain, islice, takewhile
from typing import IO, cast

from django.conf import settings

from portal.imports.matching.plain_rows import packed_rows, unpack
from portal.imports.matching.row import ReadRow
from portal.imports.readers import PatientFile

MIN_BYTES = 1024 * 1024  # A smaller file is read before the process has started.
ROWS_MEANWHILE = 1500  # Rows that are read here while the process starts.
# A Bundle is in memory as a whole, and is not held there twice.
_FORMATS = ("csv", "xlsx", "ndjson")
_PROGRAM = [sys.executable, "-P", "-m", "portal.imports.pipeline.reader_process"]
_STOPPED = "The process that reads the file ended before the file did."


class ReaderStopped(Exception):
    """The process that reads was killed or has failed: the import can go on from its last batch."""


class ReaderProcess:
    """The process that reads and checks, as `reader_process` describes it."""

    def __init__(self) -> None:
        """Starts it. It has a group of its own: an interrupt of the terminal is the writer's."""
        paths = [str(settings.BASE_DIR), os.environ.get("PYTHONPATH", "")]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
        self._process = subprocess.Popen(
            _PROGRAM,
            env=environment,
            process_group=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._input = cast("IO[bytes]", self._process.stdin)
        self._output = cast("IO[bytes]", self._process.stdout)

    def begin(self, file: PatientFile, after: int) -> None:
        """Makes it read the rows after row `after`."""
        try:
            pickle.dump((file, after), self._input, pickle.HIGHEST_PROTOCOL)
            self._input.flush()
        except BrokenPipeError as error:
            raise ReaderStopped(_STOPPED) from error

    def receive(self) -> list[ReadRow]:
        """Returns the next rows; none at the end of the file."""
        try:
            # The process is our own: nobody else has the other end of this pipe.
            received = pickle.load(self._output)  # noqa: S301
        except (EOFError, pickle.UnpicklingError) as error:
            raise ReaderStopped(_STOPPED) from error
        if isinstance(received, Exception):
            raise received
        return list(map(unpack, received))

    def close(self) -> None:
        """Ends it at once: it holds nothing that has to be put away."""
        self._process.kill()
        self._process.communicate()


def read_rows(file: PatientFile, after: int = 0) -> Generator[ReadRow, None, None]:
    """Yields the checked rows after row `after`, in the file's order; close it when done.

    It raises what the file's reader raises, and ReaderStopped.
    """
    has_cores = (os.cpu_count() or 1) > 1
    if has_cores and file.size >= MIN_BYTES and file.format in _FORMATS:
        yield from _read_ahead(file, after)
    else:
        yield from map(unpack, packed_rows(file, after))


def _read_ahead(file: PatientFile, after: int) -> Iterator[ReadRow]:
    last_here = after + ROWS_MEANWHILE
    with closing(ReaderProcess()) as process:
        checked = map(unpack, packed_rows(file, after))
        rows = takewhile(lambda read: read.row.number <= last_here, checked)
        # Before its first row a table is read once as a whole: that is not repeated there.
        first = list(islice(rows, 1))
        process.begin(file, last_here)
        yield from chain(first, rows)
        while batch := process.receive():
            yield from batch
