"""Physical lines of a text file, one at a time, however broken it is."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from portal.imports.readers.encodings import LABELS, UTF_8, byte_order_mark, is_control, is_text

MAX_LINE_BYTES = 4 * 1024 * 1024  # A longer line is skipped without being held in memory.
CHUNK = 64 * 1024  # Bytes that are read at once.


class Line(NamedTuple):
    """A line with its line end. A line with a fault holds only what could be read of it.

    `end` is the number of bytes read when the line was complete.
    """

    text: str
    end: int
    fault: str = ""


def lines_of(path: Path, encoding: str = UTF_8) -> Iterator[Line]:
    """Yields every line of the file, in one of our encodings, without a byte order mark."""
    with path.open("rb") as file:
        _, end = byte_order_mark(file.read(4))
        file.seek(end)
        for data, length in _split_lines(file, encoding):
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
        fault = f"The row is not {_label(encoding)} text. Save the whole file in one encoding."
        return Line(data.decode(encoding, "replace"), end, fault)
    text = text.removeprefix("\ufeff")  # Files that were joined have a mark within.
    if "\0" in text:
        visible = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
        return Line(visible, end, "The row holds a NUL byte.")
    fault = "" if encoding == UTF_8 or text.isascii() else _mixed_encoding(data, text, encoding)
    return Line(text, end, fault)


def _mixed_encoding(data: bytes, text: str, encoding: str) -> str:
    """Says how the line is in another encoding than the file, "" if it is not.

    Where each letter is one byte, nearly every line can be decoded, also such a line.
    """
    label = _label(encoding)
    if not encoding.startswith("utf-16") and is_text(data, UTF_8):
        advice = "Save the whole file in one encoding."
        return f"The row is UTF-8, the file is read as {label}. {advice}"
    if any(is_control(character) for character in text):
        question = "Is the file in another encoding?"
        return f"The row holds characters that {label} text does not have. {question}"
    return ""


def _label(encoding: str) -> str:
    return LABELS[encoding].partition(" (")[0]


def _split_lines(file: BinaryIO, encoding: str) -> Iterator[tuple[bytes, int]]:
    """Yields lines and their lengths in bytes; of one that is too long only a part."""
    if encoding.startswith("utf-16"):
        return _two_byte_lines(file, "\n".encode(encoding))
    return _one_byte_lines(file)


def _one_byte_lines(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
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


def _two_byte_lines(file: BinaryIO, line_end: bytes) -> Iterator[tuple[bytes, int]]:
    """Splits text of two bytes for each letter: a line end begins at an even place."""
    kept, skipped = b"", 0
    while chunk := file.read(CHUNK):
        kept += chunk
        while (place := _next_line(kept, line_end)) >= 0:
            yield kept[:place], place + skipped
            kept, skipped = kept[place:], 0
        if len(kept) > MAX_LINE_BYTES:
            skipped += len(kept) - CHUNK
            kept = kept[-CHUNK:]
    if kept:
        yield kept, len(kept) + skipped


def _next_line(data: bytes, line_end: bytes) -> int:
    """Returns where the line after the first line end begins; -1 if there is no line end."""
    place = data.find(line_end)
    while place >= 0 and place % 2:
        place = data.find(line_end, place + 1)
    return place + 2 if place >= 0 else -1
