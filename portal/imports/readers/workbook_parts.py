"""Which parts of a workbook are held in memory, and how large they may be.

Sheets are read row by row.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import IO
from zipfile import ZipInfo

# Bytes of XML. Measured: a megabyte of the emptiest styles takes 130 MB of memory, one of the
# emptiest strings 20 MB.
MAX_STRING_BYTES = 24 * 1024 * 1024
# All other parts together; styles of a much coloured sheet have a few hundred thousand bytes.
MAX_OTHER_BYTES = 1024 * 1024
# Tags in the shared strings, four for each: some 40,000 rows of which no two cells are equal.
MAX_STRING_TAGS = 1_500_000
# Content types that we never open, and that are large in honest workbooks.
_NEVER_READ = (
    b".worksheet+xml",
    b".calcChain+xml",
    b".pivotCacheRecords+xml",
    b".pivotCacheDefinition+xml",
    b".pivotTable+xml",
    b".comments+xml",
    b".drawing+xml",
    b".chart+xml",
    b".externalLink+xml",
    b".table+xml",
)
# Parts that the library knows by their names.
_BY_NAME = re.compile(
    r"docProps/|xl/(styles|theme/theme1|workbook)\.xml$|\[Content_Types\]|.*\.rels$", re.IGNORECASE
)
_PIECE = 1024 * 1024  # Bytes that are searched for tags at once.
_ENCODING = re.compile(rb"encoding\s*=\s*[\"']([^\"']*)")
_OVERRIDE = re.compile(rb"<(?:\w+:)?Override\b[^>]*>")
_ATTRIBUTE = re.compile(rb"(\w+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")


def are_parts_too_large(parts: Iterable[ZipInfo], content_types: bytes) -> bool:
    """Whether the parts that are held in memory are larger than those of an honest workbook.

    `content_types` is the text of [Content_Types].xml. A part counts as one that is not held only
    if it has no other type, so that strings cannot pass for a sheet. A reference to a character in
    that text could hide a name, and no program writes one: it counts as too large.
    """
    types = _types_by_name(content_types)
    string_bytes = other_bytes = 0
    for part in parts:
        name = part.filename
        if not _is_held(name, types[name]):
            continue
        if _is_strings(name, types[name]):
            string_bytes += part.file_size
        else:
            other_bytes += part.file_size
    return b"&" in content_types or other_bytes > MAX_OTHER_BYTES or string_bytes > MAX_STRING_BYTES


def shared_strings(content_types: bytes) -> list[str]:
    """Returns the names of the parts that hold the strings of cells."""
    types = _types_by_name(content_types)
    return [name for name in types if _is_strings(name, types[name])]


def has_too_many_tags(strings: IO[bytes]) -> bool:
    """Whether these shared strings have too many elements, or an encoding that could hide them."""
    piece, tags = strings.read(_PIECE), 0
    declared = _ENCODING.search(piece[:200])
    if declared and declared.group(1).lower() not in (b"utf-8", b"us-ascii"):
        return True
    while piece and tags <= MAX_STRING_TAGS:
        tags += piece.count(b"<")
        piece = strings.read(_PIECE)
    return tags > MAX_STRING_TAGS


def _types_by_name(content_types: bytes) -> defaultdict[str, set[bytes]]:
    types: defaultdict[str, set[bytes]] = defaultdict(set)
    for element in _OVERRIDE.findall(content_types):
        values = {name: double or single for name, double, single in _ATTRIBUTE.findall(element)}
        name = values.get(b"PartName", b"").decode(errors="replace").lstrip("/")
        types[name].add(values.get(b"ContentType", b""))
    return types


def _is_strings(name: str, types: set[bytes]) -> bool:
    is_strings = any(type_.endswith(b".sharedStrings+xml") for type_ in types)
    return is_strings and not _BY_NAME.match(name)


def _is_held(name: str, types: set[bytes]) -> bool:
    if _BY_NAME.match(name):
        return True
    if types:
        return not all(type_.endswith(_NEVER_READ) for type_ in types)
    return name.lower().endswith((".xml", ".rels"))  # Other parts are pictures, and not read.
