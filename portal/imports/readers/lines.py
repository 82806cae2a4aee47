"""Physical lines of a UTF-8 file, one at a time, however broken it is."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LONGEST = 4 * 1024 * 1024  # A line beyond this is no patient; it is skipped without being held in memory.


@dataclass(frozen=True, slots=True)
class Line:
    """A line with its line end. A line with a fault holds only what could be read of it."""

    text: str
    end: int
    fault: str = ""


def lines_of(path: Path) -> Iterator[Line]:
    """Every line of the file; a byte order mark at its start is dropped."""
    end = 0
    with path.open("rb") as file:
        while data := file.readline(LONGEST + 1):
            start, end = end, end + len(data)
            if len(data) > LONGEST and not data.endswith(b"\n"):
                end += _skip_line(file)
                yield Line(data[:200].decode("utf-8", "replace"), end, f"The line is longer than {LONGEST} bytes.")
                continue
            yield _decoded(data.removeprefix(b"\xef\xbb\xbf") if start == 0 else data, end)


def _decoded(data: bytes, end: int) -> Line:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return Line(data.decode("utf-8", "replace"), end, "The row is not UTF-8 text. Save the file as UTF-8.")
    if "\0" in text:
        return Line(text.replace("\0", "\N{REPLACEMENT CHARACTER}"), end, "The row holds a NUL byte.")
    return Line(text, end)


def _skip_line(file) -> int:  # type: ignore[no-untyped-def]
    skipped = 0
    while data := file.readline(LONGEST):
        skipped += len(data)
        if data.endswith(b"\n"):
            break
    return skipped
