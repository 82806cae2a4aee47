"""The text of a workbook's cell as a spreadsheet shows it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from portal.imports.readers.number_formats import NumberFormat, date_text
from portal.imports.readers.workbook_package import Attributes, whole_number
from portal.imports.readers.workbook_strings import unescape

SURE_DIGITS = 15  # A spreadsheet keeps so many digits of a number, and rounds the rest.
SHOWN_DIGITS = 6  # It shows so many of a number that it shortens.
SHORTENED_FROM = 11  # The exponent from which it shortens a number of any cell.
NO_SUCH_TEXT = (
    "This cell refers to a text that the workbook does not have. Look at it in a spreadsheet "
    "program, save the workbook there and try again."
)
ERROR = "The spreadsheet shows an error in this cell."
NOT_CALCULATED = (
    "This cell has a formula whose value was never calculated. Open the workbook in a spreadsheet "
    "program, save it and try again."
)
_MIDNIGHT = re.compile(r"T00:00(?::00(?:\.0+)?)?Z?$")


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell as it is shown. `fault` says what is wrong; `is_number` without zeros shown."""

    text: str
    fault: str = ""
    is_number: bool = False
    is_date: bool = False


@dataclass(frozen=True)
class CellContext:
    """What the cells of a workbook refer to, and its first day."""

    formats: Sequence[NumberFormat]
    strings: Sequence[str]
    counts_from_1904: bool


def read_cell(
    content: CellContext, attributes: Attributes, text: str, *, has_formula: bool
) -> Cell:
    kind = attributes.get("t", "n")
    if has_formula and not text and kind != "str":
        return Cell("", NOT_CALCULATED)
    match kind:
        case "s":
            return _shared_text(content.strings, text.strip())
        case "inlineStr" | "str":
            return Cell(unescape(text).strip())
        case "b":
            return Cell("TRUE" if text.strip() in ("1", "true") else "FALSE") if text else Cell("")
        case "e":
            return Cell(text.strip(), ERROR)
        case "d":
            return Cell(_MIDNIGHT.sub("", text.strip()), is_date=True)
    style = whole_number(attributes.get("s"))
    is_known = style < len(content.formats)
    shown = content.formats[style] if is_known else NumberFormat()
    return _number_cell(text.strip(), shown, counts_from_1904=content.counts_from_1904)


def _shared_text(strings: Sequence[str], place: str) -> Cell:
    if not place:
        return Cell("")
    index = whole_number(place, len(strings))
    return Cell(strings[index].strip()) if index < len(strings) else Cell("", NO_SUCH_TEXT)


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
        shown_text = date_text(number, shown, counts_from_1904=counts_from_1904)
        return Cell(shown_text, is_date=shown_text != str(number))
    if number != number.to_integral_value():
        return Cell(format(float(number), ".15g"), is_number=True)
    if number.adjusted() >= SURE_DIGITS or _has_lost_digits(text):
        return Cell(f"{number:.14E}" if number.adjusted() >= SURE_DIGITS else text.upper())
    if masked := shown.shown(number):
        return Cell(masked.strip())
    return Cell(str(int(number)), is_number=True)


def _has_lost_digits(text: str) -> bool:
    """Tells whether a number such as 1.23457E+11 has fewer digits than it would have in full.

    Java writes 6.1755501E9 for 6175550100, without a sign and with all digits.
    """
    mantissa, _, exponent = text.upper().partition("E")
    digits = len(mantissa.lstrip("-").replace(".", ""))
    if not exponent or digits == 1 or digits > int(exponent):
        return False
    is_short = digits <= SHOWN_DIGITS and int(exponent) >= SHORTENED_FROM
    return is_short or exponent.startswith("+")
