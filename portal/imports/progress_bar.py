"""Shows the progress of an import in a terminal, or as lines in a log."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from django.core.management.base import OutputWrapper
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from portal.imports.matching.decision import Decision
from portal.imports.pipeline.runner import BatchListener
from portal.imports.report import Tally

ROWS_PER_LINE = 10_000  # Rows between two lines of progress where there is no terminal.


@contextmanager
def show_progress(tally: Tally, size: int, stream: OutputWrapper) -> Iterator[BatchListener]:
    """Counts the batches, and shows a bar on a terminal, else a line every so many rows."""

    def listener(show: Callable[[], None]) -> BatchListener:
        def on_batch(decisions: Sequence[Decision]) -> None:
            tally.add(decisions)
            show()

        return on_batch

    if not stream.isatty():
        yield listener(_line_writer(tally, size, stream))
        return
    columns = (
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %  {task.fields[pace]} rows/s"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("", total=size, pace="–")

        def move_bar() -> None:
            pace = f"{tally.rows / tally.seconds:,.0f}"
            progress.update(bar, completed=tally.bytes_done, pace=pace)

        yield listener(move_bar)


def _line_writer(tally: Tally, size: int, stream: OutputWrapper) -> Callable[[], None]:
    lines = 0

    def write_line() -> None:
        nonlocal lines
        if tally.rows // ROWS_PER_LINE > lines:
            lines = tally.rows // ROWS_PER_LINE
            percent = 100 * tally.bytes_done // size
            pace = tally.rows / tally.seconds
            stream.write(f"{tally.rows:,} rows, {percent} %, {pace:,.0f} rows/s")

    return write_line
