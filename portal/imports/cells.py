"""Cells that a spreadsheet would run as a formula, made harmless on the way out and as they were on the way in."""

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r]")


def harmless(cell: str) -> str:
    """The cell with an apostrophe before it if a spreadsheet would run it (OWASP, CSV injection)."""
    return "'" + cell if _FORMULA.match(cell) else cell


def plain(cell: str) -> str:
    """The cell as it was before `harmless`."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell[1:]) else cell
