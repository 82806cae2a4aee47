"""Which parts of a workbook are held in memory whole, and how large they may be; sheets are read row by row."""

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import IO
from zipfile import ZipInfo

# Bytes of XML. Measured: a megabyte of the emptiest styles takes 130 MB of memory, one of the emptiest strings 20 MB.
MAX_STRING_BYTES = 24 * 1024 * 1024
MAX_OTHER_BYTES = (
    1024 * 1024
)  # All other parts together; styles of a much coloured sheet have a few hundred thousand.
MAX_STRING_TAGS = 1_500_000  # In the shared strings, four for each: some 40,000 rows of which no cell is like another.
# Parts of a workbook that we never open, and that are large in honest ones.
_NEVER_READ = (
    b".worksheet+xml", b".calcChain+xml", b".pivotCacheRecords+xml", b".pivotCacheDefinition+xml", b".pivotTable+xml",
    b".comments+xml", b".drawing+xml", b".chart+xml", b".externalLink+xml", b".table+xml",
)  # fmt: skip
_BY_NAME = re.compile(
    r"docProps/|xl/(styles|theme/theme1|workbook)\.xml$|\[Content_Types\]|.*\.rels$", re.IGNORECASE
)
_PIECE = 1024 * 1024
_ENCODING = re.compile(rb"encoding\s*=\s*[\"']([^\"']*)")
_OVERRIDE = re.compile(rb"<(?:\w+:)?Override\b[^>]*>")
_ATTRIBUTE = re.compile(rb"(\w+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")


def are_parts_too_large(parts: Iterable[ZipInfo], kinds: bytes) -> bool:
    """Whether what has to be held is larger than it is in a workbook; `kinds` is the text of [Content_Types].xml.

    A part counts as one that is not held only where it is called nothing else, so that strings cannot pass for a
    sheet. A reference to a character in that text could hide a name from this reading, and no program writes one: it
    is too large as well.
    """
    called = _kinds_by_name(kinds)
    held = [part for part in parts if _is_held(part.filename, called[part.filename])]
    strings = [part for part in held if _is_strings(part.filename, called[part.filename])]
    others = sum(part.file_size for part in held) - sum(part.file_size for part in strings)
    return (
        b"&" in kinds
        or others > MAX_OTHER_BYTES
        or sum(part.file_size for part in strings) > MAX_STRING_BYTES
    )


def shared_strings(kinds: bytes) -> list[str]:
    """The names of the parts that hold the strings of cells."""
    return [name for name, called in _kinds_by_name(kinds).items() if _is_strings(name, called)]


def has_too_many_tags(strings: IO[bytes]) -> bool:
    """Whether this text of shared strings makes too many elements; also where its encoding could hide them."""
    beginning, tags = strings.read(_PIECE), 0
    if (declared := _ENCODING.search(beginning[:200])) and declared.group(1).lower() not in (
        b"utf-8",
        b"us-ascii",
    ):
        return True
    piece = beginning
    while piece and tags <= MAX_STRING_TAGS:
        tags += piece.count(b"<")
        piece = strings.read(_PIECE)
    return tags > MAX_STRING_TAGS


def _kinds_by_name(kinds: bytes) -> defaultdict[str, set[bytes]]:
    called: defaultdict[str, set[bytes]] = defaultdict(set)
    for element in _OVERRIDE.findall(kinds):
        values = {name: double or single for name, double, single in _ATTRIBUTE.findall(element)}
        name = values.get(b"PartName", b"").decode(errors="replace").lstrip("/")
        called[name].add(values.get(b"ContentType", b""))
    return called


def _is_strings(name: str, kinds: set[bytes]) -> bool:
    return not _BY_NAME.match(name) and any(kind.endswith(b".sharedStrings+xml") for kind in kinds)


def _is_held(name: str, kinds: set[bytes]) -> bool:
    if _BY_NAME.match(name):
        return True
    if kinds:
        return not all(kind.endswith(_NEVER_READ) for kind in kinds)
    return name.lower().endswith((".xml", ".rels"))  # Anything else is a picture: nobody reads it.
