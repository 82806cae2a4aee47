"""Excel workbooks (.xlsx): the sheet whose header names columns of patients, row by row.

A formula counts by its last value. The reader is our own: it needs the number formats, which show
the zeros of `001-23-4567`, and one row in memory at a time.
"""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from xml.parsers.expat import ExpatError
from zipfile import BadZipFile, ZipFile

from portal.imports.readers.header import SEARCHED_ROWS, find_header
from portal.imports.readers.rows import Unreadable
from portal.imports.readers.table_rows import Record
from portal.imports.readers.tables import MAX_COLUMNS, PLAIN, TableFile, TableSettings
from portal.imports.readers.workbook_cells import Cell
from portal.imports.readers.workbook_merges import fill_merged
from portal.imports.readers.workbook_package import Package
from portal.imports.readers.workbook_safety import DAMAGED, refuse_unsafe
from portal.imports.readers.workbook_sheets import Sheet, WorkbookContent

SAMPLED_ROWS = 100  # Rows in which a header is looked for, and samples after it.
MAX_SHEETS = 50  # Sheets that are looked at, to tell of those that are not imported.
MAX_EXTRA_CELLS = 10  # Cells beyond the header that are read, to tell that a row is too wide.
# What broken ZIPs, broken XML and wrong references raise.
_BROKEN = (
    ArithmeticError,
    BadZipFile,
    EOFError,
    ExpatError,
    LookupError,
    NotImplementedError,
    OSError,
    ValueError,
    zlib.error,
)


class XlsxFile(TableFile):
    """A workbook that is safe to unpack. Its row numbers are those that a spreadsheet shows."""

    format = "xlsx"

    def __init__(self, path: Path, settings: TableSettings = PLAIN) -> None:
        refuse_unsafe(path)
        self.path, self.width = path, 0
        self.first: list[Record] = []
        numeric: set[int] = set()
        with _opened(path) as content:
            self.sheet, first, begin = _find_sheet(content)
            self.other_sheets = _other_sheets(content, self.sheet)
            self.areas = content.merged_areas(self.sheet)
        self.width = len(first[begin].cells)
        self.header_number = first[begin].number
        for record in self._fill_merged(first[begin:]):
            texts = _trimmed(record.cells, self.width)
            if texts:
                self.first.append(record._replace(cells=texts, end=0))
                numeric |= record.numbers
        super().__init__(path, self.first[0].cells, settings)
        self.numeric = numeric

    @property
    def ignored(self) -> list[str]:
        """See TableFile: also the other sheets that have a table of patients."""
        return [*super().ignored, *(f"the sheet “{name}”" for name in self.other_sheets)]

    def first_records(self) -> list[Record]:
        """See TableFile. They were read with the header: a large workbook takes seconds to open."""
        return self.first

    def records(self) -> Iterator[Record]:
        """See TableFile. Rows without a cell are left out, and what stands before the header."""
        size = self.path.stat().st_size
        with _opened(self.path) as content:
            records = _records(content, self.sheet, self.width + MAX_EXTRA_CELLS, size)
            for record in self._fill_merged(records):
                if record.number < self.header_number:
                    continue
                if texts := _trimmed(record.cells, self.width):
                    self.numeric |= record.numbers
                    yield record._replace(cells=texts)

    def _fill_merged(self, records: Iterable[Record]) -> Iterator[Record]:
        return fill_merged(records, self.areas, header=self.header_number, width=self.width)


def _find_sheet(content: WorkbookContent) -> tuple[Sheet, list[Record], int]:
    """Returns the sheet, its first rows and the place of the header among them.

    A sheet whose header names columns that are known comes before one with any other header.
    """
    found: tuple[Sheet, list[Record], int] | None = None
    for sheet in content.sheets:
        if not sheet.is_visible:
            continue
        first = list(islice(_records(content, sheet, MAX_COLUMNS + 1, 0), SAMPLED_ROWS))
        header = find_header([record.cells for record in first])
        if header is None:
            continue
        if header.is_known:
            return sheet, first, header.place
        found = found or (sheet, first, header.place)
    if found is None:
        advice = "It must name at least two columns."
        raise Unreadable(f"No sheet of this workbook has a header row. {advice}")
    return found


def _other_sheets(content: WorkbookContent, chosen: Sheet) -> list[str]:
    """Returns the names of the visible sheets that have a header of patients, too."""
    names = []
    for sheet in content.sheets[:MAX_SHEETS]:
        if sheet.is_visible and sheet != chosen:
            first = islice(_records(content, sheet, MAX_COLUMNS + 1, 0), SEARCHED_ROWS)
            header = find_header([record.cells for record in first])
            if header and header.is_known:
                names.append(sheet.name)
    return names


def _records(content: WorkbookContent, sheet: Sheet, columns: int, size: int) -> Iterator[Record]:
    for number, cells, share in content.rows(sheet, columns=columns):
        if any(cell.text or cell.fault for cell in cells):
            yield _record(number, cells, int(size * share))


def _record(number: int, cells: list[Cell], end: int) -> Record:
    wrong = {index: cell.fault for index, cell in enumerate(cells) if cell.fault}
    numbers = frozenset(index for index, cell in enumerate(cells) if cell.is_number)
    dates = frozenset(index for index, cell in enumerate(cells) if cell.is_date)
    texts = [cell.text for cell in cells]
    return Record(number, texts, end, wrong=wrong, numbers=numbers, dates=dates)


def _trimmed(texts: Sequence[str], width: int) -> list[str]:
    """Returns as many texts as the header has, or more if the row has."""
    texts = list(texts)
    while len(texts) > width and not texts[-1]:
        texts.pop()
    return texts + [""] * (width - len(texts))


@contextmanager
def _opened(path: Path) -> Iterator[WorkbookContent]:
    """Opens the workbook; Unreadable for one that is broken."""
    try:
        with ZipFile(path) as packed:
            yield WorkbookContent(Package(packed))
    except (Unreadable, FileNotFoundError, GeneratorExit):
        raise
    except _BROKEN as error:
        raise Unreadable(DAMAGED) from error
