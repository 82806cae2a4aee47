"""Excel workbooks: cells as a clinic reads them; unsafe files are refused without opening them."""

import io
import zipfile
from contextlib import suppress
from datetime import date, datetime

import pytest
from openpyxl import Workbook

from portal.imports.readers import (
    Unreadable,
    open_patients,
    recognise_file,
    workbook_cells,
    workbook_package,
    workbook_safety,
    workbook_strings,
)

HEADER = ["family_name", "given_name", "date_of_birth", "zip", "ssn"]


def workbook(*rows, before=(), formats=()) -> bytes:
    """Returns a workbook as bytes; `formats` are (cell, number format)."""
    book = Workbook()
    sheet = book.active
    for row in [*before, *rows]:
        sheet.append(row)
    for cell, number_format in formats:
        sheet[cell].number_format = number_format
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def packed(**parts: bytes) -> bytes:
    """Returns a ZIP with these parts; `__` in a name stands for a slash, `_dot_` for a dot."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        for name, data in parts.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), data)
    return content.getvalue()


def details(path) -> dict:
    return next(open_patients(path).rows()).details


def test_cells_come_out_as_they_are_meant(file):
    path = file(
        workbook(HEADER, ["Beispiel", " Anna ", date(1984, 3, 15), 2134, 999000001.0]),
        "people.xlsx",
    )
    assert details(path) == {
        "family_name": "Beispiel",
        "given_name": "Anna",
        "date_of_birth": "1984-03-15",
        "postal_code": "2134",
        "identifiers": [{"system": "ssn", "value": "999000001"}],
    }


def test_a_year_as_a_number_and_a_day_with_midnight_are_dates(file):
    midnight = datetime(1956, 8, 3)  # noqa: DTZ001 - A sheet knows no zones.
    book = workbook(HEADER[:3], ["A", "B", 1956], ["C", "D", midnight])
    year, day = open_patients(file(book)).rows()
    assert year.details["date_of_birth"] == "1956"
    assert day.details["date_of_birth"] == "1956-08-03"


def test_zeros_that_a_format_shows_stay_and_others_are_told_as_lost(file):
    book = workbook(HEADER, ["A", "B", None, 2134, 17], formats=[("D2", "00000")])
    opened = open_patients(file(book))
    assert next(opened.rows()).details["postal_code"] == "02134"
    assert opened.numeric == {4}


def test_blank_rows_are_no_rows_and_numbers_are_those_of_the_spreadsheet(file):
    book = workbook(HEADER[:2], ["A", "B"], [None, " "], ["C", "D"], before=[[], []])
    assert [row.number for row in open_patients(file(book)).rows()] == [4, 6]


def test_reading_continues_behind_any_row_and_a_wide_row_costs_only_itself(file):
    opened = open_patients(file(workbook(HEADER[:2], ["A", "B"], ["C", "D", "", "x"], ["E"])))
    wide, short = opened.rows(after=2)
    assert "4 columns, the header has 2" in str(wide.problems[0])
    assert short.details == {"family_name": "E"}


def test_the_first_sheet_with_a_header_is_read(file):
    book = Workbook()
    book.active.append(["A title alone"])
    hidden, sheet = book.create_sheet("Hidden"), book.create_sheet("People")
    hidden.sheet_state = "hidden"
    for row in (HEADER, ["Beispiel", "Anna"]):
        sheet.append(row)
        hidden.append(["secret", "list"])
    content = io.BytesIO()
    book.save(content)
    assert recognise_file(file(content.getvalue())).header == HEADER


def test_a_formula_without_a_value_and_a_cell_error_refuse_their_rows(file):
    book = workbook(HEADER[:2], ["A", "=1+1"], ["#N/A", "B"])
    formula, wrong = open_patients(file(book)).rows()
    assert "never calculated" in str(formula.problems[0])
    assert "error" in str(wrong.problems[0])


def test_chosen_columns_count_and_not_their_names(file):
    path = file(workbook(["one", "two"], ["Beispiel", "Anna"]))
    with pytest.raises(Unreadable, match="header"):
        open_patients(path)
    row = next(open_patients(path, ["family_name", "given_name"]).rows())
    assert row.details == {"family_name": "Beispiel", "given_name": "Anna"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (packed(xl__workbook_dot_xml=b"0" * 20_000_000), "far too large"),
        (packed(xl__workbook_dot_xml=b"", xl__vbaProject_dot_bin=b"x"), "macros"),
        (packed(xl__workbook_dot_bin=b""), "xlsb"),
        (packed(word__document_dot_xml=b""), "Word"),
        (packed(mimetype=b"application/vnd.oasis.opendocument.spreadsheet"), "OpenDocument"),
        (packed(people_dot_csv=b"a,b"), "ZIP file and not an Excel workbook"),
        (packed(xl__workbook_dot_xml=b"<nothing/>"), "damaged"),
        (workbook(HEADER)[:200], "damaged"),
        (workbook(["alone"]), "No sheet"),
        (workbook(), "No sheet"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), "old Excel workbook"),
        (b"\xd0\xcf\x11\xe0" + bytes(600) + "EncryptedPackage".encode("utf-16-le"), "password"),
        (b"\xff\xd8\xff\xe0" + bytes(600), "picture"),
    ],
)
def test_what_cannot_or_must_not_be_opened_says_why(file, content, words):
    with pytest.raises(Unreadable, match=words):
        open_patients(file(content, "people.xlsx"))


@pytest.mark.parametrize(("bound", "most"), [("MAX_UNPACKED_BYTES", 100), ("MAX_PARTS", 3)])
def test_many_parts_or_bytes_are_refused_by_the_directory_alone(file, monkeypatch, bound, most):
    path = file(workbook(HEADER, ["A", "B"]))
    monkeypatch.setattr(workbook_safety, bound, most)
    monkeypatch.setattr(
        workbook_safety.ZipFile, "open", lambda *_: pytest.fail("A part was unpacked.")
    )
    with pytest.raises(Unreadable, match="too large"):
        open_patients(path)


def repacked(content: bytes, part: str, old: bytes, new: bytes, **more: bytes) -> bytes:
    """The same workbook with something replaced in one of its parts, and more parts under xl/."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(made, "w") as target:
        for entry in source.infolist():
            data = source.read(entry)
            target.writestr(entry, data.replace(old, new) if entry.filename == part else data)
        for name, data in more.items():
            target.writestr(f"xl/{name}.xml", data)
    return made.getvalue()


def with_strings(strings: bytes) -> bytes:
    """Returns a workbook whose shared strings are these."""
    kind = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
    relation = b'<Relationship Id="x9" Type="%b" Target="strings.xml"/></Relationships>' % kind
    return repacked(
        workbook(HEADER, ["A", "B"]),
        "xl/_rels/workbook.xml.rels",
        b"</Relationships>",
        relation,
        strings=strings,
    )


def test_shared_strings_may_not_be_large(file, monkeypatch):
    content = with_strings(b"<sst>%b</sst>" % (b"<si><t>A</t></si>" * 99))
    assert len(list(open_patients(file(content)).rows())) == 1
    monkeypatch.setattr(workbook_strings, "MAX_STRING_BYTES", 1000)
    with pytest.raises(Unreadable, match="too large"):
        open_patients(file(content))


def test_shared_strings_may_not_be_very_many_nor_very_long(file, monkeypatch):
    monkeypatch.setattr(workbook_strings, "MAX_STRINGS", 100)
    monkeypatch.setattr(workbook_strings, "MAX_CELL", 1000)
    for strings in (b"<si/>" * 200, b"<si><t>%b</t></si>" % (b"x" * 2000)):
        with pytest.raises(Unreadable, match="too large"):
            open_patients(file(with_strings(b"<sst>%b</sst>" % strings)))


def test_styles_may_not_be_large(file, monkeypatch):
    plain = workbook(HEADER, ["A", "B"])
    monkeypatch.setattr(workbook_package, "MAX_OTHER_BYTES", 20_000)
    assert open_patients(file(plain))
    comment = b"<!--" + b"x" * 20_000 + b"--></styleSheet>"
    with pytest.raises(Unreadable, match="too large"):
        open_patients(file(repacked(plain, "xl/styles.xml", b"</styleSheet>", comment)))


def test_one_tag_may_not_fill_the_memory(file, monkeypatch):
    monkeypatch.setattr(workbook_package, "CHUNK", 100)
    monkeypatch.setattr(workbook_package, "MAX_SILENT_BYTES", 2000)
    endless = b"<row x='%b'>" % (b"x" * 9000)
    content = repacked(
        workbook(HEADER, ["A", "B"]),
        "xl/worksheets/sheet1.xml",
        b"<sheetData>",
        b"<sheetData>" + endless,
    )
    with pytest.raises(Unreadable, match="too large"):
        open_patients(file(content))


def test_a_sheet_may_be_larger_than_what_is_held(file, monkeypatch):
    content = workbook(HEADER, *([f"Family {number}", "B"] for number in range(500)))
    monkeypatch.setattr(workbook_package, "MAX_OTHER_BYTES", 20_000)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.getinfo("xl/worksheets/sheet1.xml").file_size > 20_000
    assert len(list(open_patients(file(content)).rows())) == 500


def test_a_directory_of_very_many_parts_is_not_even_read(file, monkeypatch):
    path = file(packed(**{f"part{number}": b"" for number in range(100)}))
    monkeypatch.setattr(workbook_safety, "MAX_DIRECTORY_BYTES", 1000)
    monkeypatch.setattr(workbook_safety, "ZipFile", lambda _: pytest.fail("It was read."))
    with pytest.raises(Unreadable, match="too large"):
        open_patients(path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'<row r="2"', b'<row r="99999999999"'),
        (b'r="A2"', b'r="ZZZZZZ2"'),
        (b"<sheetData>", b"<sheetData><row><c t='s'><v>99</v></c></row>"),
        (b"<?xml", b"<!DOCTYPE w [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>]><!-- ?><?xml"),
    ],
)
def test_a_crafted_sheet_ends_in_words_and_not_in_hours(file, old, new):
    content = repacked(workbook(HEADER, ["A", "B"]), "xl/worksheets/sheet1.xml", old, new)
    with suppress(Unreadable):
        rows = list(open_patients(file(content)).rows())
        assert {row.details.get("family_name") for row in rows} <= {None, "A"}


@pytest.mark.parametrize("place", ["-1", "7", "x", "99999999999999999999"])
def test_a_cell_that_refers_to_no_text_refuses_its_row_alone(file, place):
    content = repacked(
        with_strings(b"<sst><si><t>First</t></si><si><t>Last</t></si></sst>"),
        "xl/worksheets/sheet1.xml",
        b"</sheetData>",
        b'<row r="5"><c r="A5" t="s"><v>%b</v></c><c r="B5" t="s"><v>1</v></c></row></sheetData>'
        % place.encode(),
    )
    row = list(open_patients(file(content)).rows())[-1]
    assert [problem.reason for problem in row.problems] == [workbook_cells.NO_SUCH_TEXT]
    assert row.details == {"given_name": "Last"}


@pytest.mark.parametrize("column", ["ssn", "mrn", "passport", "insurance"])
@pytest.mark.parametrize("shown", ["yyyy-mm-dd", "mmm-yy", "d-mmm", "h:mm"])
def test_a_date_in_a_column_of_identifiers_is_left_out(file, column, shown):
    header = ["family_name", column]
    book = workbook(header, ["Beispiel", 30_682.5], formats=[("B2", shown)])
    [row] = open_patients(file(book)).rows()
    assert row.details == {"family_name": "Beispiel"}
    assert [part.column for part in row.left_out] == [column]
    assert "is a date" in row.left_out[0].reason


def test_a_number_too_large_for_a_date_stays_a_number(file):
    book = workbook(HEADER, ["A", "B", None, None, 999000001], formats=[("E2", "yyyy-mm-dd")])
    assert details(file(book))["identifiers"] == [{"system": "ssn", "value": "999000001"}]


def test_a_text_that_calls_itself_a_workbook_is_read_as_what_it_is(file):
    assert (
        open_patients(file("family_name,given_name\nBeispiel,Anna\n", "people.xlsx")).format
        == "csv"
    )


@pytest.mark.parametrize(
    ("number_format", "number", "shown"),
    [
        ("000-00-0000", 1234567, "001-23-4567"),
        (r"000\-00\-0000", 1234567, "001-23-4567"),
        ('"INS-"000000', 1234, "INS-001234"),
        ("0####", 2134, "02134"),
        ("00000-0000", 21340001, "02134-0001"),
        ("[<=99999]00000;00000-0000", 2134, "02134"),
        ("[$-409]000000000", 12345678, "012345678"),
        ("#,##0", 1234567, "1234567"),
        ("0", 17, "17"),
        ("0.00", 17, "17"),
        ("General", 17, "17"),
    ],
)
def test_a_number_is_read_as_it_is_shown_if_it_is_a_code(file, number_format, number, shown):
    book = workbook(HEADER, ["A", "B", None, None, number], formats=[("E2", number_format)])
    assert details(file(book))["identifiers"] == [{"system": "ssn", "value": shown}]


@pytest.mark.parametrize("number", [b"9007199254740993", b"1.23457E+11"])
def test_a_number_that_lost_its_digits_is_no_identifier(file, number):
    content = repacked(
        workbook(HEADER, ["A", "B", None, None, 777]),
        "xl/worksheets/sheet1.xml",
        b"<v>777</v>",
        b"<v>%b</v>" % number,
    )
    [row] = open_patients(file(content)).rows()
    assert row.problems[0].column == "ssn"
    assert "shortened this number" in row.problems[0].reason


def test_letters_that_excel_writes_as_codes_are_letters(file):
    book = workbook(HEADER[:2], ["Beispiel_x000D_", "An_x006E_a _x005F_x000D_"])
    assert details(file(book)) == {"family_name": "Beispiel", "given_name": "Anna _x000D_"}


def test_a_header_below_a_title_and_a_sheet_behind_a_cover_are_found(file):
    book = Workbook()
    book.active.title = "Read me"
    book.active.append(["Made by", "North Clinic"])
    sheet = book.create_sheet("People")
    for row in (["North Clinic: patients"], [], HEADER, ["Beispiel", "Anna"]):
        sheet.append(row)
    content = io.BytesIO()
    book.save(content)
    [row] = open_patients(file(content.getvalue())).rows()
    assert (row.number, row.details) == (4, {"family_name": "Beispiel", "given_name": "Anna"})


def rewritten(content: bytes, change) -> bytes:
    """Returns the workbook with each part's name and bytes as `change` returns them."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(made, "w") as target:
        for entry in source.infolist():
            name, data = change(entry.filename, source.read(entry))
            written = zipfile.ZipInfo(name)
            written.filename = name  # With a backslash, too.
            target.writestr(written, data)
    return made.getvalue()


STRICT = b"http://purl.oclc.org/ooxml/spreadsheetml/main"
LOOSE = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"


@pytest.mark.parametrize(
    "change",
    [
        lambda name, data: (name, data.replace(b"<fill>", b"<fill/><fill>")),
        lambda name, data: (name, data.replace(b"<font>", b'<font><color rgb="#FF0000"/>')),
        lambda name, data: (name, data.replace(b'family val="2"', b'family val="34"')),
        lambda name, data: (name, data.replace(b' s="1"', b' s=""')),
        lambda name, data: (name, data.replace(LOOSE, STRICT)),
        lambda name, data: (name if "[" in name else name.replace("/", "\\"), data),
        lambda name, data: (name, b"nothing" if name == "docProps/core.xml" else data),
        lambda name, data: (name, b"" if name == "xl/theme/theme1.xml" else data),
        lambda name, data: (
            name.replace("xl/", "book/"),
            data.replace(b"/xl/", b"/book/").replace(b"xl/workbook", b"book/workbook"),
        ),
    ],
)
def test_what_excel_opens_is_read(file, change):
    book = workbook(HEADER, ["Beispiel", "Anna", None, 2134], formats=[("D2", "00000")])
    row = next(open_patients(file(rewritten(book, change))).rows())
    assert row.details["family_name"] == "Beispiel"


def test_a_day_written_as_text_of_iso_8601_is_that_day(file):
    content = repacked(
        workbook(HEADER[:3], ["A", "B", 777]),
        "xl/worksheets/sheet1.xml",
        b't="n"><v>777</v>',
        b't="d"><v>1984-03-15T00:00:00</v>',
    )
    assert details(file(content))["date_of_birth"] == "1984-03-15"
