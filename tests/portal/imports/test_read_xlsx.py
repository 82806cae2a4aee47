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
    workbook_parts,
    workbook_safety,
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
        "date_of_birth_precision": "day",
        "postal_code": "2134",
        "identifiers": [{"system": "ssn", "value": "999000001"}],
    }


def test_a_year_as_a_number_and_a_day_with_midnight_are_dates(file):
    midnight = datetime(1956, 8, 3)  # noqa: DTZ001 - A sheet knows no zones.
    book = workbook(HEADER[:3], ["A", "B", 1956], ["C", "D", midnight])
    year, day = open_patients(file(book)).rows()
    assert (year.details["date_of_birth"], year.details["date_of_birth_precision"]) == (
        "1956-01-01",
        "year",
    )
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


def test_a_formula_is_not_run_and_a_cell_error_refuses_its_row(file):
    book = workbook(HEADER[:2], ["A", "=1+1"], ["#N/A", "B"])
    formula, wrong = open_patients(file(book)).rows()
    assert formula.details == {"family_name": "A"}
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


def called(name: bytes, kind: bytes) -> bytes:
    spreadsheet = b"application/vnd.openxmlformats-officedocument.spreadsheetml."
    return (
        b'<Override PartName="/xl/'
        + name
        + b'.xml" ContentType="'
        + spreadsheet
        + kind
        + b'+xml"/>'
    )


@pytest.mark.parametrize(
    "kinds",
    [
        called(b"strings", b"sharedStrings"),
        called(b"strings", b"sharedStrings") + called(b"strings", b"worksheet"),
        called(b"strings", b"worksheet") + called(b"&#115;trings", b"sharedStrings"),
    ],
)
def test_shared_strings_may_not_be_large_whatever_they_are_called(file, monkeypatch, kinds):
    strings = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">%b</sst>' % (
        b"<si><t>A</t></si>" * 99
    )
    plain = workbook(HEADER, ["A", "B"])
    shared = repacked(
        plain,
        "[Content_Types].xml",
        b"</Types>",
        called(b"strings", b"sharedStrings") + b"</Types>",
        strings=strings,
    )
    assert len(list(open_patients(file(shared)).rows())) == 1
    monkeypatch.setattr(workbook_parts, "MAX_STRING_BYTES", 1000)
    with pytest.raises(Unreadable, match="too large"):
        open_patients(
            file(
                repacked(
                    plain, "[Content_Types].xml", b"</Types>", kinds + b"</Types>", strings=strings
                )
            )
        )


@pytest.mark.parametrize("strings", [b"<si/>" * 200, b"<?xml version='1.0' encoding='cp037'?>"])
def test_strings_may_not_be_very_many_nor_hide_how_many_they_are(file, monkeypatch, strings):
    monkeypatch.setattr(workbook_parts, "MAX_STRING_TAGS", 100)
    kind = called(b"strings", b"sharedStrings")
    with pytest.raises(Unreadable, match="too large"):
        open_patients(
            file(
                repacked(
                    workbook(HEADER, ["A", "B"]),
                    "[Content_Types].xml",
                    b"</Types>",
                    kind + b"</Types>",
                    strings=strings,
                )
            )
        )


@pytest.mark.parametrize("kind", [b"sharedStrings", b"worksheet"])
def test_styles_are_held_whatever_they_are_called(file, monkeypatch, kind):
    plain = workbook(HEADER, ["A", "B"])
    monkeypatch.setattr(workbook_parts, "MAX_OTHER_BYTES", 20_000)
    assert open_patients(file(plain))
    large = repacked(
        plain, "xl/styles.xml", b"</styleSheet>", b"<!--" + b"x" * 20_000 + b"--></styleSheet>"
    )
    large = repacked(large, "[Content_Types].xml", b".styles+xml", b"." + kind + b"+xml")
    with pytest.raises(Unreadable, match="too large"):
        open_patients(file(large))


def test_a_sheet_may_be_larger_than_what_is_held(file, monkeypatch):
    content = workbook(HEADER, *([f"Family {number}", "B"] for number in range(500)))
    monkeypatch.setattr(workbook_parts, "MAX_OTHER_BYTES", 20_000)
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


def test_a_text_that_calls_itself_a_workbook_is_read_as_what_it_is(file):
    assert (
        open_patients(file("family_name,given_name\nBeispiel,Anna\n", "people.xlsx")).format
        == "csv"
    )
