"""What is inside a workbook: its sheets, and their cells row by row."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from portal.imports.readers.rows import Unreadable
from portal.imports.readers.workbook_cells import Cell, CellContext, read_cell
from portal.imports.readers.workbook_merges import Area, column_index, read_areas
from portal.imports.readers.workbook_package import (
    Attributes,
    Package,
    TextsOf,
    part_name,
    whole_number,
)
from portal.imports.readers.workbook_safety import DAMAGED
from portal.imports.readers.workbook_strings import TextCollector, read_formats, read_strings

MAX_ROWS, MAX_COLUMN = 1_048_576, 16_384  # Excel's own limits.
_REFERENCE = re.compile(r"([A-Za-z]{1,3})\d*$")


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
        self.context = CellContext(
            read_formats(package, by_kind.get("styles", "")),
            read_strings(package, by_kind.get("sharedStrings", "")),
            self.counts_from_1904,
        )

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

        self.package.parse_all(workbook, TextsOf("workbookPr", "sheet", on=add))
        if not sheets:
            raise Unreadable(DAMAGED)
        return sheets

    def rows(self, sheet: Sheet, *, columns: int) -> Iterator[tuple[int, list[Cell], float]]:
        """Yields number, first `columns` cells and share read of each row that has cells."""
        handler = _Rows(self.context, columns)
        for share in self.package.parse(sheet.part, handler, limit=0):
            found, handler.rows = handler.rows, []
            for number, cells in found:
                yield number, cells, share

    def merged_areas(self, sheet: Sheet) -> list[Area]:
        """Returns the merged cells of a sheet, from its top."""
        return read_areas(self.package, sheet.part)


def _workbook_part(package: Package) -> str:
    for kind, name in package.related("").values():
        if kind == "officeDocument" and name in package.parts:
            return name
    name = part_name("xl/workbook.xml")
    if name not in package.parts:
        raise Unreadable(DAMAGED)
    return name


class _Rows(TextCollector):
    """The rows of a sheet, each as soon as it is complete."""

    def __init__(self, content: CellContext, columns: int) -> None:
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
            case "v":  # Beside an inline string some programs write a number of no meaning.
                self.collects = self.attributes.get("t") != "inlineStr"
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
        number = whole_number(attributes.get("r"), self.number + 1)
        if not self.number < number <= MAX_ROWS:
            raise Unreadable(DAMAGED)
        self.number, self.column, self.cells = number, -1, []

    def _start_cell(self, attributes: Attributes) -> None:
        reference = _REFERENCE.match(attributes.get("r", ""))
        self.column = column_index(reference[1]) if reference else self.column + 1
        if self.column >= MAX_COLUMN:
            raise Unreadable(DAMAGED)
        self.attributes, self.has_formula = attributes, False

    def _end_cell(self) -> None:
        text = self.take()
        if self.column >= self.columns:
            return
        cell = read_cell(self.content, self.attributes, text, has_formula=self.has_formula)
        if cell.text or cell.fault:
            missing = self.column + 1 - len(self.cells)
            self.cells += [Cell("")] * missing
            self.cells[self.column] = cell
