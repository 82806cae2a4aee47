"""Lines of CSV whose cells no spreadsheet runs as a formula, and the cells as they were on the way in."""

import csv
import io
import re
from collections.abc import Iterable

_FORMULA = re.compile(r"'*[=+\-@\t\r]")


def harmless(cell: str) -> str:
    """The cell with an apostrophe before it if a spreadsheet would run it (OWASP, CSV injection)."""
    return "'" + cell if _FORMULA.match(cell) else cell


def plain(cell: str) -> str:
    """The cell as it was before `harmless`."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell[1:]) else cell


def csv_line(cells: Iterable[str]) -> str:
    """A line of CSV that a spreadsheet runs no formula of."""
    line = io.StringIO()
    csv.writer(line).writerow([harmless(cell) for cell in cells])
    return line.getvalue()
