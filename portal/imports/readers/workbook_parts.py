"""Which parts of a workbook are held in memory whole, and how large they may be; sheets are read row by row."""

import re
from collections import defaultdict
from collections.abc import Iterable
from zipfile import ZipInfo

MOST_SHARED_STRINGS = 128 * 1024 * 1024  # Bytes of XML: some 150,000 rows of which no cell is like another.
MOST_HELD = 16 * 1024 * 1024  # Bytes of any other part; styles of a much coloured sheet have a few hundred thousand.
_OVERRIDE = re.compile(rb"<(?:\w+:)?Override\b[^>]*>")
_ATTRIBUTE = re.compile(rb"(\w+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")


def are_too_large(parts: Iterable[ZipInfo], kinds: bytes) -> bool:
    """Whether a part that has to be held is larger than such parts are; `kinds` is the text of [Content_Types].xml.

    A part counts as a sheet only where it is called nothing else, so that strings cannot pass for one. A reference to
    a character in that text could hide a name from this reading, and no program writes one: it is too large as well.
    """
    called = _kinds_by_name(kinds)
    return b"&" in kinds or any(part.file_size > _most(part.filename, called[part.filename]) for part in parts)


def _kinds_by_name(kinds: bytes) -> defaultdict[str, set[bytes]]:
    called: defaultdict[str, set[bytes]] = defaultdict(set)
    for element in _OVERRIDE.findall(kinds):
        values = {name: double or single for name, double, single in _ATTRIBUTE.findall(element)}
        name = values.get(b"PartName", b"").decode(errors="replace").lstrip("/")
        called[name].add(values.get(b"ContentType", b""))
    return called


def _most(name: str, kinds: set[bytes]) -> float:
    if kinds and all(kind.endswith(b".worksheet+xml") for kind in kinds):
        return float("inf")
    if not kinds and not name.lower().endswith((".xml", ".rels")):
        return float("inf")  # A picture: nobody reads it.
    return MOST_SHARED_STRINGS if any(kind.endswith(b".sharedStrings+xml") for kind in kinds) else MOST_HELD
