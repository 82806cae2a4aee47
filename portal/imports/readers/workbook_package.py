"""The parts of a workbook's ZIP: found as Excel finds them, and never larger than a bound."""

import posixpath
from collections.abc import Callable, Iterator
from typing import IO
from xml.parsers import expat
from zipfile import ZipFile, ZipInfo

from portal.imports.readers.rows import Unreadable
from portal.imports.readers.workbook_safety import DAMAGED, TOO_LARGE

# Bytes of XML. A part of strings is held in memory, and so are styles and names of sheets.
MAX_STRING_BYTES = 64 * 1024 * 1024
MAX_OTHER_BYTES = 4 * 1024 * 1024
CHUNK = 64 * 1024  # Bytes that are parsed at once.
# Bytes without a tag, or characters in one cell: Excel's own limit is 32,767 characters.
MAX_SILENT_BYTES = 1024 * 1024

Attributes = dict[str, str]


class Handler:
    """What the parser calls. Names come without their name space, which programs write freely."""

    def start(self, name: str, attributes: Attributes) -> None:
        """An element begins."""

    def end(self, name: str) -> None:
        """An element ends."""

    def text(self, text: str) -> None:
        """A piece of text."""


class Package:
    """The parts of an opened ZIP by their names, in any case and with either slash."""

    def __init__(self, packed: ZipFile) -> None:
        self.packed = packed
        self.parts = {part_name(part.filename): part for part in packed.infolist()}

    def related(self, name: str) -> dict[str, tuple[str, str]]:
        """Returns kind and name of each part that this part refers to, by the reference's id."""
        folder, base = posixpath.split(name)
        relations = posixpath.join(folder, "_rels", f"{base}.rels")
        handler = _Relations(folder)
        if relations in self.parts:
            for _ in self.parse(relations, handler):
                pass
        return handler.found

    def parse(self, name: str, handler: Handler, *, limit: int | None = None) -> Iterator[float]:
        """Parses a part piece by piece, and yields the share of it that is read.

        Unreadable if it has more than `limit` bytes; 0 for no limit.
        """
        part = self.parts[name]
        most = MAX_OTHER_BYTES if limit is None else limit
        if most and part.file_size > most:
            raise Unreadable(TOO_LARGE)
        with self.packed.open(part) as stream:
            yield from _parse(stream, part, handler)

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yields the bytes of a part, which takes far less than parsing it."""
        with self.packed.open(self.parts[name]) as stream:
            while chunk := stream.read(CHUNK):
                yield chunk

    def parse_all(self, name: str, handler: Handler, *, limit: int | None = None) -> None:
        """Parses a whole part."""
        for _ in self.parse(name, handler, limit=limit):
            pass


def whole_number(text: str | None, otherwise: int = 0) -> int:
    """Returns the number that an attribute has."""
    return int(text) if text and text.isascii() and text.isdigit() else otherwise


def part_name(name: str) -> str:
    """Returns the name of a part as it is compared."""
    return posixpath.normpath(name.replace("\\", "/").lstrip("/")).lower()


def _parse(stream: IO[bytes], part: ZipInfo, handler: Handler) -> Iterator[float]:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    silent = read = 0

    def on_start(name: str, attributes: Attributes) -> None:
        nonlocal silent
        silent = 0
        handler.start(_local(name), attributes)

    def on_end(name: str) -> None:
        nonlocal silent
        silent = 0
        handler.end(_local(name))

    parser.StartElementHandler, parser.EndElementHandler = on_start, on_end
    parser.CharacterDataHandler = handler.text
    parser.StartDoctypeDeclHandler = _refuse_entities
    while chunk := stream.read(CHUNK):
        silent, read = silent + len(chunk), read + len(chunk)
        parser.Parse(chunk)
        if silent > MAX_SILENT_BYTES:  # One tag or text that would fill the memory.
            raise Unreadable(TOO_LARGE)
        yield read / max(part.file_size, 1)
    parser.Parse(b"", True)
    yield 1.0


def _local(name: str) -> str:
    return name.rpartition(" ")[2]


def _refuse_entities(*_: object) -> None:
    """No workbook declares entities; a few of them can stand for gigabytes."""
    raise Unreadable(DAMAGED)


class _Relations(Handler):
    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.found: dict[str, tuple[str, str]] = {}

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "Relationship" and attributes.get("TargetMode") != "External":
            target = attributes.get("Target", "").replace("\\", "/")
            path = target if target.startswith("/") else posixpath.join(self.folder, target)
            kind = attributes.get("Type", "").rpartition("/")[2]
            self.found[attributes.get("Id", "")] = (kind, part_name(path))


class TextsOf(Handler):
    """Collects attributes of the elements that it is asked for, in order."""

    def __init__(self, *names: str, on: Callable[[str, Attributes], None]) -> None:
        self.names, self.on = names, on

    def start(self, name: str, attributes: Attributes) -> None:
        if name in self.names:
            self.on(name, attributes)
