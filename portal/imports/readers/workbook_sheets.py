"""What is inside a workbook: its sheets, formats and strings, and the cells row by row."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from portal.imports.readers.number_formats import NumberFormat, date_text, number_format
from portal.imports.readers.rows import Unreadable
from portal.imports.readers.workbook_package import (
    MAX_STRING_BYTES,
    Attributes,
    Handler,
    Package,
    TextsOf,
    part_name,
)
from portal.imports.readers.workbook_safety import DAMAGED, TOO_LARGE

MAX_ROWS, MAX_COLUMN = 1_048_576, 16_384  # Excel's own limits.
MAX_STRINGS = 1_500_000  # Shared strings: some 60 bytes of memory each, and their letters.
MAX_STYLES = 65_536  # Excel's own limit of cell formats.
MAX_CELL = 100_000  # Characters; Excel's own limit is 32,767.
SURE_DIGITS = 15  # A spreadsheet keeps so many digits of a number, and rounds the rest.
ERROR = "The spreadsheet shows an error in this cell."
NOT_CALCULATED = (
    "This cell has a formula whose value was never calculated. Open the workbook in a spreadsheet "
    "program, save it and try again."
)
_REFERENCE = re.compile(r"([A-Za-z]{1,3})\d*$")
_MIDNIGHT = re.compile(r"T00:00(?::00(?:\.0+)?)?Z?$")
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell as it is shown. `fault` says what is wrong; `is_number` without zeros shown."""

    text: str
    fault: str = ""
    is_number: bool = False


@dataclass(frozen=True)
class Sheet:
    """A sheet with cells, and the name of its part."""

    name: str
    part: str
    is_visible: bool


class WorkbookContent:
    """The sheets of a package, and what their cells need: formats, strings, and the first day."""

    def __init__(self, package: Package) -> None:
        self.package = package
        self.counts_from_1904 = False
        workbook = _workbook_part(package)
        related = package.related(workbook)
        self.sheets = self._read_sheets(workbook, related)
        by_kind = {kind: name for kind, name in related.values() if name in package.parts}
        self.formats = _read_formats(package, by_kind.get("styles", ""))
        self.strings = _read_strings(package, by_kind.get("sharedStrings", ""))

    def _read_sheets(self, workbook: str, related: dict[str, tuple[str, str]]) -> list[Sheet]:
        sheets: list[Sheet] = []

        def add(name: str, attributes: Attributes) -> None:
            if name == "workbookPr":
                self.counts_from_1904 = attributes.get("date1904", "0") in ("1", "true")
                return
            ids = [value for key, value in attributes.items() if key.endswith(" id")]
            kind, part = related.get(ids[0] if ids else "", ("", ""))
            if kind == "worksheet" and part in self.package.parts:
                is_visible = attributes.get("state", "visible") == "visible"
                sheets.append(Sheet(attributes.get("name", ""), part, is_visible))

        _read_all(self.package, workbook, TextsOf("workbookPr", "sheet", on=add))
        if not sheets:
            raise Unreadable(DAMAGED)
        return sheets

    def rows(self, sheet: Sheet, *, columns: int) -> Iterator[tuple[int, list[Cell], float]]:
        """Yields number, first `columns` cells and share read of each row that has cells."""
        handler = _Rows(self, columns)
        for share in self.package.parse(sheet.part, handler, limit=0):
            found, handler.rows = handler.rows, []
            for number, cells in found:
                yield number, cells, share


def _workbook_part(package: Package) -> str:
    for kind, name in package.related("").values():
        if kind == "officeDocument" and name in package.parts:
            return name
    name = part_name("xl/workbook.xml")
    if name not in package.parts:
        raise Unreadable(DAMAGED)
    return name


def _read_all(package: Package, name: str, handler: Handler, *, limit: int | None = None) -> None:
    for _ in package.parse(name, handler, limit=limit):
        pass


def _read_formats(package: Package, name: str) -> list[NumberFormat]:
    """Returns the format of each style; whatever else a style has is not looked at."""
    handler = _Styles()
    if name:
        _read_all(package, name, handler)
    return [
        number_format(number, handler.codes.get(number)) for number in handler.numbers[:MAX_STYLES]
    ]


def _read_strings(package: Package, name: str) -> list[str]:
    handler = _Strings()
    if name:
        _read_all(package, name, handler, limit=MAX_STRING_BYTES)
    return handler.strings


class _Styles(Handler):
    def __init__(self) -> None:
        self.codes: dict[int, str] = {}
        self.numbers: list[int] = []
        self.is_cell_format = False

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "numFmt":
            self.codes[_whole(attributes.get("numFmtId"))] = attributes.get("formatCode", "General")
        elif name == "cellXfs":
            self.is_cell_format = True
        elif name == "xf" and self.is_cell_format:
            self.numbers.append(_whole(attributes.get("numFmtId")))

    def end(self, name: str) -> None:
        if name == "cellXfs":
            self.is_cell_format = False


class _Texts(Handler):
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


class _Strings(_Texts):
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
            self.strings.append(_unescape(self.take()))


class _Rows(_Texts):
    """The rows of a sheet, each as soon as it is complete."""

    def __init__(self, content: WorkbookContent, columns: int) -> None:
        super().__init__()
        self.content, self.columns = content, columns
        self.rows: list[tuple[int, list[Cell]]] = []
        self.number, self.column = 0, -1
        self.cells: list[Cell] = []
        self.attributes: Attributes = {}
        self.has_formula = False

    def start(self, name: str, attributes: Attributes) -> None:
        self.collects = False
        match name:
            case "row":
                self._start_row(attributes)
            case "c":
                self._start_cell(attributes)
            case "f":
                self.has_formula = True
            case "v":
                self.collects = True
            case "t":
                self.collects = not self.aids
            case "rPh":
                self.aids += 1

    def end(self, name: str) -> None:
        self.collects = False
        match name:
            case "row":
                self.rows.append((self.number, self.cells))
            case "c":
                self._end_cell()
            case "rPh":
                self.aids -= 1

    def _start_row(self, attributes: Attributes) -> None:
        number = _whole(attributes.get("r"), self.number + 1)
        if not self.number < number <= MAX_ROWS:
            raise Unreadable(DAMAGED)
        self.number, self.column, self.cells = number, -1, []

    def _start_cell(self, attributes: Attributes) -> None:
        reference = _REFERENCE.match(attributes.get("r", ""))
        self.column = _column(reference[1]) if reference else self.column + 1
        if self.column >= MAX_COLUMN:
            raise Unreadable(DAMAGED)
        self.attributes, self.has_formula = attributes, False

    def _end_cell(self) -> None:
        text = self.take()
        if self.column >= self.columns:
            return
        cell = _cell(self.content, self.attributes, text, has_formula=self.has_formula)
        if cell.text or cell.fault:
            missing = self.column + 1 - len(self.cells)
            self.cells += [Cell("")] * missing
            self.cells[self.column] = cell


def _cell(
    content: WorkbookContent, attributes: Attributes, text: str, *, has_formula: bool
) -> Cell:
    kind = attributes.get("t", "n")
    if has_formula and not text and kind != "str":
        return Cell("", NOT_CALCULATED)
    match kind:
        case "s":
            return Cell(content.strings[int(text)].strip()) if text.strip() else Cell("")
        case "inlineStr" | "str":
            return Cell(_unescape(text).strip())
        case "b":
            return Cell("TRUE" if text.strip() in ("1", "true") else "FALSE") if text else Cell("")
        case "e":
            return Cell(text.strip(), ERROR)
        case "d":
            return Cell(_MIDNIGHT.sub("", text.strip()))
    style = _whole(attributes.get("s"))
    is_known = style < len(content.formats)
    shown = content.formats[style] if is_known else NumberFormat()
    return _number_cell(text.strip(), shown, counts_from_1904=content.counts_from_1904)


def _number_cell(text: str, shown: NumberFormat, *, counts_from_1904: bool) -> Cell:
    if not text:
        return Cell("")
    try:
        number = Decimal(text)
    except InvalidOperation:
        return Cell(text)
    if not number.is_finite() or abs(number.adjusted()) > 300:
        return Cell(text)
    if shown.is_date:
        return Cell(date_text(number, counts_from_1904=counts_from_1904))
    if number != number.to_integral_value():
        return Cell(format(float(number), ".15g"), is_number=True)
    if number.adjusted() >= SURE_DIGITS or _has_lost_digits(text):
        return Cell(f"{number:.14E}" if number.adjusted() >= SURE_DIGITS else text.upper())
    if masked := shown.shown(number):
        return Cell(masked.strip())
    return Cell(str(int(number)), is_number=True)


def _has_lost_digits(text: str) -> bool:
    """Tells whether a number such as 1.23457E+11 has fewer digits than it would have in full."""
    mantissa, _, exponent = text.upper().partition("E")
    decimals = len(mantissa.partition(".")[2])
    return bool(exponent and decimals) and int(exponent) > decimals


def _column(letters: str) -> int:
    """Returns 0 for A, 26 for AA."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def _whole(text: str | None, otherwise: int = 0) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else otherwise


def _unescape(text: str) -> str:
    """Returns a text with the letters that Excel writes as `_x000D_`."""
    if "_x" not in text:
        return text
    decoded = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)
    return decoded.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
