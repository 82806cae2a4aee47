"""Strings and number formats of a workbook, which its cells refer to."""

import re

from portal.imports.readers.number_formats import NumberFormat, number_format
from portal.imports.readers.rows import Unreadable
from portal.imports.readers.workbook_package import (
    MAX_STRING_BYTES,
    Attributes,
    Handler,
    Package,
    whole_number,
)
from portal.imports.readers.workbook_safety import TOO_LARGE

MAX_STRINGS = 1_500_000  # Shared strings: some 60 bytes of memory each, and their letters.
MAX_STYLES = 65_536  # Excel's own limit of cell formats.
MAX_CELL = 100_000  # Characters; Excel's own limit is 32,767.
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")


def read_formats(package: Package, name: str) -> list[NumberFormat]:
    """Returns the format of each style; whatever else a style has is not looked at."""
    handler = _Styles()
    if name:
        package.parse_all(name, handler)
    return [
        number_format(number, handler.codes.get(number)) for number in handler.numbers[:MAX_STYLES]
    ]


def read_strings(package: Package, name: str) -> list[str]:
    """Returns the strings that cells of several rows share, in their order."""
    handler = _Strings()
    if name:
        package.parse_all(name, handler, limit=MAX_STRING_BYTES)
    return handler.strings


def unescape(text: str) -> str:
    """Returns a text with the letters that Excel writes as `_x000D_`; a NUL is none."""
    if "_x" not in text:
        return text
    decoded = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)
    text = decoded.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


class TextCollector(Handler):
    """Collects the text of `t`, without the reading aids (`rPh`) of East Asian texts."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.length = self.aids = 0
        self.collects = False

    def text(self, text: str) -> None:
        if self.collects:
            self.length += len(text)
            if self.length > MAX_CELL:
                raise Unreadable(TOO_LARGE)
            self.pieces.append(text)

    def take(self) -> str:
        text = "".join(self.pieces)
        self.pieces.clear()
        self.length = 0
        return text


class _Strings(TextCollector):
    def __init__(self) -> None:
        super().__init__()
        self.strings: list[str] = []

    def start(self, name: str, _attributes: Attributes) -> None:
        self.aids += name == "rPh"
        self.collects = name == "t" and not self.aids

    def end(self, name: str) -> None:
        self.collects = False
        self.aids -= name == "rPh"
        if name == "si":
            if len(self.strings) >= MAX_STRINGS:
                raise Unreadable(TOO_LARGE)
            self.strings.append(unescape(self.take()))


class _Styles(Handler):
    def __init__(self) -> None:
        self.codes: dict[int, str] = {}
        self.numbers: list[int] = []
        self.is_cell_format = False

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "numFmt":
            number = whole_number(attributes.get("numFmtId"))
            self.codes[number] = attributes.get("formatCode", "General")
        elif name == "cellXfs":
            self.is_cell_format = True
        elif name == "xf" and self.is_cell_format:
            self.numbers.append(whole_number(attributes.get("numFmtId")))

    def end(self, name: str) -> None:
        if name == "cellXfs":
            self.is_cell_format = False
