"""Draws tables, and CSV files of them."""

import csv
import io
from dataclasses import dataclass

from hypothesis import strategies as st

from portal.imports.readers.encodings import is_control
from tests.fuzz.drawn_file import DrawnFile
from tests.fuzz.values import family_name, good_value_of, odd_texts, value_of

_COLUMNS = {
    "given_name": ["given_name", "FIRST", "First Name"],
    "date_of_birth": ["date_of_birth", "BIRTHDATE", "dob", "Date of Birth"],
    "sex": ["sex", "GENDER"],
    "ssn": ["ssn", "SSN"],
    "phone": ["phone", "Telephone"],
    "passport": ["passport"],
    "mrn": ["mrn", "MRN"],
    "id": ["Id", "id"],
    "identifiers": ["identifiers"],
    "deceased_on": ["deceased_on", "DEATHDATE"],
    "registered_on": ["registered_on"],
    "date_of_birth_precision": ["date_of_birth_precision"],
    "middle_name": ["middle_name"],
    "city": ["city"],
    "postal_code": ["zip"],
    "country": ["country"],
    "email": ["email"],
    "language": ["language"],
    "note": ["note", "Größe", "", "status", "reason", "=1", "version"],
}
_FAMILY = ["family_name", "LAST", "Surname", "family name", "FAMILY_NAME"]
_TITLES = ["Patients", "Export of 2026-11-01", "# comment", "sep=;", ""]


@dataclass(frozen=True)
class Table:
    """A header and its rows; the family name stands in the first column."""

    header: list[str]
    rows: list[list[str]]
    is_plain: bool  # Its columns are known, and no value can make one row two, or none.


@st.composite
def tables(draw: st.DrawFn, *, most_rows: int = 8) -> Table:
    """Draws tables of people."""
    fields = draw(st.lists(st.sampled_from([*_COLUMNS]), min_size=1, max_size=7, unique=True))
    header = [draw(st.sampled_from(_FAMILY))]
    header += [draw(st.sampled_from(_COLUMNS[field])) for field in fields]
    rows: list[list[str]] = []
    is_good = draw(st.booleans())
    value = good_value_of if is_good else value_of
    for number in range(draw(st.integers(0, most_rows))):
        if rows and draw(st.integers(0, 9)) == 0:
            rows.append(draw(st.sampled_from(rows)))
            continue
        rows.append([draw(family_name(number)), *(draw(value(field)) for field in fields)])
        if not is_good and draw(st.integers(0, 19)) == 0:
            rows[-1][0] = draw(odd_texts)
    is_known = bool({*fields} - {"note"})
    is_plain = is_known and all(_is_plain(cell) for row in rows for cell in row)
    return Table(header, rows, is_plain)


def _is_plain(text: str) -> bool:
    return not any(mark in text for mark in "\0\n\r")


@st.composite
def csv_files(draw: st.DrawFn) -> DrawnFile:
    """Draws CSV files in many dialects and encodings, right and wrong ones."""
    table = draw(tables())
    delimiter = draw(st.sampled_from(",,;\t|"))
    is_sloppy = draw(st.integers(0, 3)) == 0
    line_end = draw(st.sampled_from(["\n", "\r\n"]))
    lines = [_line(cells, delimiter, is_sloppy=is_sloppy) for cells in [table.header, *table.rows]]
    title = draw(st.sampled_from(_TITLES)) if draw(st.integers(0, 4)) == 0 else None
    if title is not None:
        lines.insert(0, title)
    for _ in range(draw(st.integers(1, 2)) if draw(st.integers(0, 3)) == 0 else 0):
        place = draw(st.integers(1, len(lines)))
        lines.insert(place, draw(st.sampled_from(["", delimiter * 3, '"', "a", "  "])))
        is_sloppy = True
    text = line_end.join(lines) + (line_end if draw(st.booleans()) else "")
    encoding = draw(st.sampled_from(_ENCODINGS))
    content = text.encode(encoding, "replace")
    is_sloppy = is_sloppy or sum(map(is_control, text)) > _MOST_CONTROLS
    if not table.is_plain or is_sloppy or title is not None or encoding not in _WHOLE:
        return DrawnFile(content)
    filled = [number for number, row in enumerate(table.rows, start=2) if any(map(str.strip, row))]
    names = {number: table.rows[number - 2][0] for number in filled}
    return DrawnFile(content, len(filled), names)


_MOST_CONTROLS = 8  # With more of them a short file is no text.
_WHOLE = ("utf-8", "utf-8-sig", "utf-16")
_ENCODINGS = [
    *["utf-8"] * 15, "utf-8-sig", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252",
    "cp1251", "shift_jis", "gb18030", "utf-32", "utf-7", "cp037",
]  # fmt: skip


def _line(cells: list[str], delimiter: str, *, is_sloppy: bool) -> str:
    if is_sloppy:
        return delimiter.join(cells)
    line = io.StringIO()
    csv.writer(line, delimiter=delimiter, lineterminator="").writerow(cells)
    return line.getvalue()
