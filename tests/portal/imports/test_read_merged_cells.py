"""Merged cells of a workbook: their value counts for every row, and each one is told."""

import io

import pytest
from openpyxl import Workbook

from portal.imports.models import ImportRemark
from portal.imports.readers import Unreadable, open_patients, workbook_merges, workbook_package
from portal.patients.models import Patient
from tests.portal.imports.files import counts, import_file
from tests.portal.imports.test_read_xlsx import rewritten

HEADER = ["family_name", "given_name", "city", "ward"]


def workbook(*rows, merged=(), hidden=(), dates=()) -> bytes:
    """Returns a workbook; `hidden` are values written into cells that are merged."""
    book = Workbook()
    sheet = book.active
    for row in rows:
        sheet.append(row)
    for area in merged:
        sheet.merge_cells(area)
    for cell, value in hidden:
        # A program can write what a spreadsheet would empty.
        row, column = sheet[cell].row, sheet[cell].column
        sheet._cells[row, column] = type(sheet["A1"])(sheet, row, column, value)
    for cell, shown in dates:
        sheet[cell].number_format = shown
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def rows_of(path) -> list:
    return list(open_patients(path).rows())


def test_a_value_over_several_rows_counts_for_each(file):
    book = workbook(
        HEADER,
        ["Beispiel", "Anna", "Salem", "7"],
        [None, "Ben", None, None],
        [None, "Carl", "Lowell", None],
        ["Muster", "Dora", None, None],
        merged=["A2:A4", "C2:C3", "D2:D4"],
    )
    rows = rows_of(file(book))
    assert [list(row.details.values()) for row in rows] == [
        ["Beispiel", "Anna", "Salem"],
        ["Beispiel", "Ben", "Salem"],
        ["Beispiel", "Carl", "Lowell"],
        ["Muster", "Dora"],
    ]
    assert [[cell.column for cell in row.merged] for row in rows] == [
        [],
        ["family_name", "city"],
        ["family_name"],
        [],
    ]
    assert rows[1].merged[0].reason == (
        "Merged over rows 2 to 4: the value stands in row 2 and counts for each of them."
    )
    rest = list(open_patients(file(book)).rows(after=2))
    assert rest == rows[1:]


def test_samples_have_the_values_of_merged_cells(file):
    book = workbook(HEADER, ["Beispiel", "Anna"], [None, "Ben"], merged=["A2:A3"])
    assert open_patients(file(book)).samples(3)[0] == ["Beispiel", "Beispiel"]


def test_a_person_over_two_rows_is_one_row(file):
    merged = ["A2:A3", "B2:B3", "C2:C3"]
    book = workbook(HEADER[:3], ["Beispiel", "Anna", "Salem"], [None] * 3, merged=merged)
    assert len(rows_of(file(book))) == 1


def test_a_value_across_columns_counts_for_the_first_and_is_told(file):
    book = workbook(HEADER, ["Beispiel, Anna", None, "Salem", "7"], merged=["A2:B2"])
    [row] = rows_of(file(book))
    assert "given_name" not in row.details
    assert [(cell.column, cell.reason) for cell in row.merged] == [
        ("given_name", "Merged with the cell before it, whose value counts for that column alone.")
    ]


def test_a_heading_among_the_rows_is_no_person(file):
    book = workbook(HEADER, ["Beispiel", "Anna"], ["Maternity"], ["Muster"], merged=["A3:D3"])
    person, heading, other = rows_of(file(book))
    assert [problem.reason for problem in heading.problems] == [workbook_merges.HEADING]
    assert not person.problems + other.problems


def test_a_value_that_merged_cells_hide_refuses_its_row(file):
    book = workbook(
        HEADER,
        ["Beispiel", "Anna"],
        [None, "Ben"],
        [None, "Carl"],
        merged=["A2:A4"],
        hidden=[("A3", "Muster"), ("A4", "Beispiel")],
    )
    first, hiding, same = rows_of(file(book))
    assert [problem.reason for problem in hiding.problems] == [workbook_merges.HIDDEN_VALUE]
    assert first.details["family_name"] == same.details["family_name"] == "Beispiel"
    assert not same.problems


def test_a_header_that_is_merged_gives_its_names_to_no_row(file):
    book = workbook(HEADER, [None, "Anna", "Salem"], merged=["A1:A2"])
    [row] = rows_of(file(book))
    assert "family_name" not in row.details


def test_an_error_in_merged_cells_counts_for_each_row(file):
    book = workbook(HEADER, ["#N/A", "Anna"], [None, "Ben"], merged=["A2:A3"])
    assert all("error" in str(row.problems[0]) for row in rows_of(file(book)))


@pytest.mark.parametrize("chunk", [7, 100, 65_536])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_merged_cells_are_found_in_any_piece_and_encoding(file, monkeypatch, chunk, encoding):
    monkeypatch.setattr(workbook_package, "CHUNK", chunk)
    merged = ["A2:A3", "C2:C3"]
    book = workbook(HEADER, ["Beispiel", "Anna", "Salem"], [None, "Ben"], merged=merged)

    def change(name, data):
        is_sheet = name.endswith("sheet1.xml")
        return name, data.decode().encode(encoding) if is_sheet else data

    rows = rows_of(file(rewritten(book, change)))
    assert list(rows[1].details.values()) == ["Beispiel", "Ben", "Salem"]


def test_very_many_merged_cells_are_refused(file, monkeypatch):
    monkeypatch.setattr(workbook_merges, "MAX_AREAS", 1)
    book = workbook(HEADER, ["Beispiel", "Anna"], merged=["A2:A3", "B2:B3"])
    with pytest.raises(Unreadable, match="too many merged cells"):
        open_patients(file(book))


@pytest.mark.django_db
def test_trial_and_import_tell_each_merged_cell(file):
    book = workbook(HEADER, ["Beispiel", "Anna"], [None, "Ben"], merged=["A2:A3"])
    path = file(book, "people.xlsx")
    for options in (["--dry-run"], []):
        _, report = import_file(path, *options)
        assert (counts(report), report["mergedCells"]) == ({"new": 2}, 1)
    names = Patient.objects.order_by("given_name").values_list("family_name", "given_name")
    assert list(names) == [("Beispiel", "Anna"), ("Beispiel", "Ben")]
    remark = ImportRemark.objects.get()
    assert (remark.row_number, remark.kind, remark.new) == (3, "merged", "Beispiel")


@pytest.mark.django_db
def test_an_identifier_over_two_people_does_not_join_them(file):
    book = workbook(
        ["family_name", "given_name", "passport"],
        ["Beispiel", "Anna", "P7712345"],
        ["Muster", "Ben", None],
        merged=["C2:C3"],
    )
    _, report = import_file(file(book, "people.xlsx"))
    assert counts(report) == {"new": 1, "rejected": 1}
