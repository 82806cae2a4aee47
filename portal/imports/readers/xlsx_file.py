"""Excel workbooks (.xlsx): the first sheet with a header, row by row.

A formula counts by its last value.
"""

import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path
from typing import Any

from openpyxl import load_workbook

from portal.imports.readers.rows import Unreadable
from portal.imports.readers.tables import MAX_COLUMNS, Record, TableFile
from portal.imports.readers.workbook_safety import DAMAGED, refuse_unsafe

# Excel's own limit. A row number beyond it would make the library yield empty rows for hours.
MAX_ROWS = 1_048_576
SAMPLED_ROWS = 100  # Rows in which a header is looked for, and samples behind it.
MAX_EXTRA_CELLS = 10  # Cells beyond the header that are read, to tell that a row is too wide.
_ZEROS = re.compile(r"0{2,20}")


class XlsxFile(TableFile):
    """A workbook that is safe to unpack. Its row numbers are those that a spreadsheet shows."""

    format = "xlsx"

    def __init__(self, path: Path, chosen: Sequence[str] = ()) -> None:
        refuse_unsafe(path)
        self.path, self.sheet, self.width, self.numeric = path, "", 0, set()
        self.first: list[Record] = []
        with _opened(path) as workbook:
            for sheet in workbook.worksheets:
                if not self.first and sheet.sheet_state == "visible":
                    self.sheet, self.first = sheet.title, self._first_of(sheet)
        if not self.first:
            advice = "It must name at least two columns."
            raise Unreadable(f"No sheet of this workbook has a header row. {advice}")
        numeric = self.numeric
        super().__init__(path, self.first[0].cells, chosen)
        self.numeric = numeric

    def first_records(self) -> list[Record]:
        """See TableFile. They were read with the header: a large workbook takes seconds to open."""
        return self.first

    def records(self) -> Iterator[Record]:
        """See TableFile. Rows without a cell are left out, also those before the header."""
        size = self.path.stat().st_size
        with _opened(self.path) as workbook:
            sheet = workbook[self.sheet]
            rows = max(1, min(sheet.max_row or MAX_ROWS, MAX_ROWS))
            sheet.reset_dimensions()  # They may be wrong; rows beyond them would be missed.
            previous: Sequence[Any] = ()
            all_cells = sheet.iter_rows(max_col=self.width + MAX_EXTRA_CELLS)
            for number, cells in enumerate(all_cells, start=1):
                if number > MAX_ROWS:
                    raise Unreadable(DAMAGED)
                # The library yields the same object for all the rows that a sheet leaves out.
                is_gap, previous = cells is previous, cells
                if not is_gap and (texts := self._cell_texts(cells)):
                    wrong = [index for index, cell in enumerate(cells) if cell.data_type == "e"]
                    yield Record(number, texts, min(size, size * number // rows), wrong=wrong)

    def _first_of(self, sheet: Any) -> list[Record]:
        """Returns the header and the first rows behind it.

        Returns nothing if the first row that is not blank names a single column.
        """
        records: list[Record] = []
        sheet.reset_dimensions()
        first_rows = islice(sheet.iter_rows(max_col=MAX_COLUMNS + 1), SAMPLED_ROWS)
        for number, cells in enumerate(first_rows, start=1):
            if not records:
                filled = [index for index, cell in enumerate(cells) if cell.value not in (None, "")]
                self.width = filled[-1] + 1 if filled else 0
                if len(filled) == 1:
                    return []
            if not self.width:
                continue
            if texts := self._cell_texts(cells[: self.width + MAX_EXTRA_CELLS]):
                records.append(Record(number, texts, 0))
        return records

    def _cell_texts(self, cells: Sequence[Any]) -> list[str]:
        """Returns as many texts as the header has, or more if the row has; none for a blank row."""
        texts = [_text(cell) for cell in cells]
        while texts and (len(texts) > self.width or not any(texts)) and not texts[-1]:
            texts.pop()
        self.numeric.update(index for index, cell in enumerate(cells) if _is_number(cell))
        return texts


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Opens the workbook; any error that a crafted one raises in the library is Unreadable."""
    try:
        with path.open("rb") as file:  # The library would judge a path by its ending.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                workbook = load_workbook(file, read_only=True, data_only=True, keep_links=False)
            with closing(workbook):
                yield workbook
    except (Unreadable, FileNotFoundError, GeneratorExit):
        raise
    except Exception as error:
        raise Unreadable(DAMAGED) from error


def _is_number(cell: Any) -> bool:
    is_number = isinstance(cell.value, int | float) and not isinstance(cell.value, bool)
    return is_number and not _shown_digits(cell)


def _shown_digits(cell: Any) -> int:
    """Returns the digits that a format such as 00000 shows, as of postal codes; else 0."""
    number_format = cell.number_format
    return len(number_format) if number_format and _ZEROS.fullmatch(number_format) else 0


def _text(cell: Any) -> str:
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return f"{int(value):0{_shown_digits(cell)}d}" if value >= 0 else str(int(value))
    if isinstance(value, datetime):
        is_midnight = value.time() == time()
        return value.date().isoformat() if is_midnight else value.isoformat(" ", "seconds")
    return value.isoformat() if isinstance(value, date | time) else str(value)
