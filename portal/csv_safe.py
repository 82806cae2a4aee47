"""CSV cells that no spreadsheet runs as a formula (OWASP, CSV injection), and the way back."""

import csv
import io
import re
from collections.abc import Iterable

_FORMULA = re.compile(r"'*[=+\-@\t\r]")


def escape_cell(cell: str) -> str:
    """Returns the cell, with an apostrophe before it if a spreadsheet would run it."""
    return "'" + cell if _FORMULA.match(cell) else cell


def unescape_cell(cell: str) -> str:
    """Returns the cell as it was before `escape_cell`."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell[1:]) else cell


def csv_line(cells: Iterable[str]) -> str:
    """Returns a line of CSV with escaped cells."""
    line = io.StringIO()
    csv.writer(line).writerow([escape_cell(cell) for cell in cells])
    return line.getvalue()
