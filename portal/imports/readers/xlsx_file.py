"""Excel workbooks (.xlsx): the first sheet with a header, row by row. Of a formula the last value counts."""

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

MAX_ROWS = 1_048_576  # Of Excel itself; a row number beyond would make the library hand out empty rows for hours.
FIRST = 100  # Rows in which a header is looked for, and samples behind it.
_ZEROS = re.compile(r"0{2,20}")


class XlsxFile(TableFile):
    """A workbook that is safe to unpack. The row numbers are those that the spreadsheet shows."""

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
            raise Unreadable(
                "No sheet of this workbook has a header row. It must name at least two columns."
            )
        numeric = self.numeric
        super().__init__(path, self.first[0].cells, chosen)
        self.numeric = numeric

    def first_records(self) -> list[Record]:
        """See TableFile; they were read with the header, since opening a large workbook takes seconds."""
        return self.first

    def records(self) -> Iterator[Record]:
        """See TableFile; rows without a cell are left out, also those before the header."""
        size = self.path.stat().st_size
        with _opened(self.path) as workbook:
            sheet = workbook[self.sheet]
            rows = max(1, min(sheet.max_row or MAX_ROWS, MAX_ROWS))
            sheet.reset_dimensions()  # They may be wrong, and rows beyond them would be missed.
            before: Sequence[Any] = ()
            for number, cells in enumerate(sheet.iter_rows(max_col=self.width + 10), start=1):
                if number > MAX_ROWS:
                    raise Unreadable(DAMAGED)
                is_gap, before = (
                    cells is before,
                    cells,
                )  # All the rows that a sheet leaves out are one and the same.
                if not is_gap and (texts := self._texts(cells)):
                    wrong = [index for index, cell in enumerate(cells) if cell.data_type == "e"]
                    yield Record(number, texts, min(size, size * number // rows), wrong=wrong)

    def _first_of(self, sheet: Any) -> list[Record]:
        """The header, if the first row in which something stands names two columns, and the first rows behind it."""
        found: list[Record] = []
        sheet.reset_dimensions()
        for number, cells in enumerate(
            islice(sheet.iter_rows(max_col=MAX_COLUMNS + 1), FIRST), start=1
        ):
            if not found:
                filled = [index for index, cell in enumerate(cells) if cell.value not in (None, "")]
                self.width = filled[-1] + 1 if filled else 0
                if len(filled) == 1:
                    return []
            if texts := self._texts(cells[: self.width + 10]) if self.width else []:
                found.append(Record(number, texts, 0))
        return found

    def _texts(self, cells: Sequence[Any]) -> list[str]:
        """As many as the header has, or more if there are more; none for a row of blanks."""
        texts = [_text(cell) for cell in cells]
        while texts and (len(texts) > self.width or not any(texts)) and not texts[-1]:
            texts.pop()
        self.numeric.update(index for index, cell in enumerate(cells) if _is_number(cell))
        return texts


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The workbook, whatever a crafted one makes the library raise being said in our words."""
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
    return (
        isinstance(cell.value, int | float)
        and not isinstance(cell.value, bool)
        and not _zeros(cell)
    )


def _zeros(cell: Any) -> int:
    """The digits that a format such as 00000 shows, as postal codes have it; 0 for any other format."""
    form = cell.number_format
    return len(form) if form and _ZEROS.fullmatch(form) else 0


def _text(cell: Any) -> str:
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return f"{int(value):0{_zeros(cell)}d}" if value >= 0 else str(int(value))
    if isinstance(value, datetime):
        return (
            value.date().isoformat() if value.time() == time() else value.isoformat(" ", "seconds")
        )
    return value.isoformat() if isinstance(value, date | time) else str(value)
