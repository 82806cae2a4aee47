"""The process that reads and checks rows ahead of the one that writes them: see `read_ahead`.

Its input is a file as it was opened, and the row to begin behind. Its output are batches of rows,
then an empty one, or an error. It has no connection of the database.
"""

import gc
import os
import pickle
import sys
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import IO, Any

import django

BATCH = 500  # Rows that are handed over at once: one batch of the writer.
# Objects between two looks for garbage: the rows of some batches, which are no garbage.
COLLECTED_OBJECTS = 100_000


def main() -> None:
    """Reads until the end of the file, or until the writer has ended."""
    output = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # Nothing else gets among the batches.
    django.setup()
    with suppress(BrokenPipeError, EOFError):  # The writer has ended.
        # The writer is our own process: nobody else has the other end of this pipe.
        file, after = pickle.load(sys.stdin.buffer)  # noqa: S301
        gc.freeze()
        gc.set_threshold(COLLECTED_OBJECTS)
        for batch in _batches(file, after):
            _send(batch, output)


def _batches(file: Any, after: int) -> Iterator[Any]:
    from portal.imports.matching.plain_rows import packed_rows  # Models can be imported by now.

    try:
        rows = packed_rows(file, after)
        while batch := list(islice(rows, BATCH)):
            yield batch
        yield []
    except Exception as error:  # The writer raises it.
        yield error


def _send(batch: Any, output: IO[bytes]) -> None:
    output.write(pickle.dumps(batch, pickle.HIGHEST_PROTOCOL))
    output.flush()


if __name__ == "__main__":
    main()
