"""Physical lines of a text file, one at a time, however broken it is."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from portal.imports.readers.encodings import LABELS, UTF_8, byte_order_mark, is_control, is_text

MAX_LINE_BYTES = (
    4 * 1024 * 1024
)  # A line beyond this is no patient; it is skipped without being held in memory.
CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Line:
    """A line with its line end. A line with a fault holds only what could be read of it."""

    text: str
    end: int
    fault: str = ""


def lines_of(path: Path, encoding: str = UTF_8) -> Iterator[Line]:
    """Every line of the file, in one of our encodings; a byte order mark at its start is dropped."""
    with path.open("rb") as file:
        _, end = byte_order_mark(file.read(4))
        file.seek(end)
        pieces = (
            _pairs(file, "\n".encode(encoding)) if encoding.startswith("utf-16") else _bytes(file)
        )
        for data, length in pieces:
            end += length
            if length > len(data):
                fault = f"The line is longer than {MAX_LINE_BYTES} bytes."
                yield Line(data[:200].decode(encoding, "replace"), end, fault)
            else:
                yield _decoded(data, end, encoding)


def _decoded(data: bytes, end: int, encoding: str) -> Line:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        words = f"The row is not {_label(encoding)} text. Save the whole file in one encoding."
        return Line(data.decode(encoding, "replace"), end, words)
    if "\0" in text:
        return Line(
            text.replace("\0", "\N{REPLACEMENT CHARACTER}"), end, "The row holds a NUL byte."
        )
    if encoding != UTF_8 and not text.isascii() and (fault := _mixed(data, text, encoding)):
        return Line(text, end, fault)
    return Line(text, end)


def _mixed(data: bytes, text: str, encoding: str) -> str:
    """In a file of one byte for each letter nearly every line can be decoded, also one that is in another encoding."""
    if not encoding.startswith("utf-16") and is_text(data, UTF_8):
        return f"The row is UTF-8, the file is read as {_label(encoding)}. Save the whole file in one encoding."
    if any(is_control(character) for character in text):
        return f"The row holds characters that {_label(encoding)} text does not have. Is the file in another encoding?"
    return ""


def _label(encoding: str) -> str:
    return LABELS[encoding].partition(" (")[0]


def _bytes(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Lines and their lengths; of one that is too long a part alone."""
    while data := file.readline(MAX_LINE_BYTES + 1):
        if len(data) > MAX_LINE_BYTES and not data.endswith(b"\n"):
            yield data[:MAX_LINE_BYTES], len(data) + _skip_line(file)
        else:
            yield data, len(data)


def _skip_line(file: BinaryIO) -> int:
    skipped = 0
    while data := file.readline(MAX_LINE_BYTES):
        skipped += len(data)
        if data.endswith(b"\n"):
            break
    return skipped


def _pairs(file: BinaryIO, line_end: bytes) -> Iterator[tuple[bytes, int]]:
    """The same where a letter takes two bytes: a line end begins at an even place."""
    kept, skipped = b"", 0
    while chunk := file.read(CHUNK):
        kept += chunk
        while (place := _place(kept, line_end)) >= 0:
            yield kept[:place], place + skipped
            kept, skipped = kept[place:], 0
        if len(kept) > MAX_LINE_BYTES:
            skipped += len(kept) - CHUNK
            kept = kept[-CHUNK:]
    if kept:
        yield kept, len(kept) + skipped


def _place(data: bytes, line_end: bytes) -> int:
    """Where the line behind the first line end begins; -1 if there is no line end."""
    place = data.find(line_end)
    while place >= 0 and place % 2:
        place = data.find(line_end, place + 1)
    return place + 2 if place >= 0 else -1
