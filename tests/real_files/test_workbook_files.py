"""Workbooks as programs and people make them: what comes in, or why it does not."""

import pytest

from tests.real_files.expected import GUS, NO_HEADER, TILDA, Expected, check, person
from tests.real_files.workbooks import (
    DATE,
    HEADER,
    STRICT,
    TIME,
    Cell,
    changed,
    packed,
    shared,
    workbook,
)

pytestmark = pytest.mark.django_db

BORN = Cell("30756", number_format=DATE)  # 15 March 1984.
TILDA_ROW = ("Ormsby", "Tilda", BORN, "female")
GUS_ROW = ("Prewett", "Gus", "1990-11-02", "male")
PLAIN = workbook(TILDA_ROW, GUS_ROW)
BOTH = Expected([TILDA, GUS])
NO_SHEET = "No sheet of this workbook has a header row"
NO_VALUE = "never calculated"
TIME_OF_DAY = "without a time"
NO_SUCH_DATE = "no such date"
LONG_AGO = Cell("60", number_format=DATE)  # The day that Excel made up.


def born(*cells: Cell | str) -> list[tuple[Cell | str, ...]]:
    """Returns a row for each date of birth."""
    return [(f"Ormsby{'abcdefgh'[n]}", "Tilda", cell) for n, cell in enumerate(cells)]


FILES = {
    # Dates.
    "days and times": (
        workbook(*born(BORN, Cell("30756.6041666", number_format=22), Cell("0.5", "n", TIME))),
        Expected([person("Ormsbya", "Tilda", "1984-03-15")], [TIME_OF_DAY, "Enter a date such as"]),
    ),
    "days counted from 1904": (
        workbook(
            *born(Cell("29294", number_format=DATE), Cell("0", number_format=DATE)),
            counts_from_1904=True,
        ),
        Expected(
            [person("Ormsbya", "Tilda", "1984-03-15"), person("Ormsbyb", "Tilda", "1904-01-01")]
        ),
    ),
    "days counted from 1900": (
        workbook(*born(Cell("1", number_format=DATE), LONG_AGO, Cell("61", number_format=DATE))),
        Expected(
            [person("Ormsbya", "Tilda", "1900-01-01"), person("Ormsbyc", "Tilda", "1900-03-01")],
            [NO_SUCH_DATE],
        ),
    ),
    "days as ISO texts": (
        workbook(*born(Cell("1984-03-15", "d"), Cell("1984-03-15T10:10:10", "d"))),
        Expected([person("Ormsbya", "Tilda", "1984-03-15")], [TIME_OF_DAY]),
    ),
    "a month that a spreadsheet made a day of": (
        workbook(*born(Cell("30742", number_format="mmm\\-yy"), Cell("30682", "n", "yyyy"))),
        Expected(
            [
                person("Ormsbya", "Tilda", "1984-03-01", date_of_birth_precision="month"),
                person("Ormsbyb", "Tilda", "1984-01-01", date_of_birth_precision="year"),
            ]
        ),
    ),
    "an empty day": (
        workbook(*born(Cell("0", number_format=DATE))),
        Expected([person("Ormsbya", "Tilda")]),
    ),
    # Numbers.
    "formats that show zeros": (
        workbook(
            (
                "Ormsby",
                "Tilda",
                None,
                None,
                Cell("6175550131", "n", "\\(000\\)\\ 000\\-0000"),
                Cell("12048765", "n", "000\\-00\\-0000"),
            ),
        ),
        Expected(
            [person("Ormsby", "Tilda", phone="(617) 555-0131", identifiers=["ssn|012048765"])]
        ),
    ),
    "numbers in scientific notation": (
        workbook(
            ("Ormsby", "Tilda", None, None, Cell("6.1755501E9")),
            ("Prewett", "Gus", None, None, None, Cell("1.23457E+11")),
            ("Quarry", "Ida", None, None, None, Cell("900123456.5")),
        ),
        Expected(
            [person("Ormsby", "Tilda", phone="6175550100")],
            ["ssn: A spreadsheet shortened", "ssn: This number has decimals"],
        ),
    ),
    # Strings and errors.
    "entities": (
        workbook((shared("Ormsby & <Co>"), "Tilda")),
        Expected([person("Ormsby & <Co>", "Tilda")]),
    ),
    "errors of formulas": (
        workbook((Cell("#DIV/0!", "e", 0, "5/0"), "Tilda"), ("Ormsby", Cell("#N/A", "e"))),
        Expected(reasons=["shows an error", "shows an error"]),
    ),
    "line ends as codes, shared": (
        workbook((shared("Ormsby_x000D_"), shared("Til_x0064_a"))),
        Expected([person("Ormsby", "Tilda")]),
    ),
    "line ends as codes, in place": (
        workbook(("Ormsby_x000D_\n", "Tilda_x005F_x0020_")),
        Expected([person("Ormsby", "Tilda_x0020_")]),
    ),
    "CDATA": (
        changed(PLAIN, ">Tilda<", "><![CDATA[Tilda]]><"),
        BOTH,
    ),
    "an inline string beside a value": (
        changed(PLAIN, "<t>Tilda</t></is>", "<t>Tilda</t></is><v>0</v>"),
        BOTH,
    ),
    "blanks around texts": (
        workbook(("  Ormsby  ", "\t\n Tilda \n")),
        Expected([person("Ormsby", "Tilda")]),
    ),
    "formulas without a value": (
        workbook((Cell("", "n", 0, "A1"), "Tilda"), ("Ormsby", Cell("Tilda", "str", 0, "B1"))),
        Expected([person("Ormsby", "Tilda")], [NO_VALUE]),
    ),
    # Headers.
    "a header further down": (
        workbook(TILDA_ROW, before=[["", "", "List"], [], []]),
        Expected([TILDA]),
    ),
    "a title": (
        workbook(TILDA_ROW, before=[["North Clinic - list"], ["printed 20-Nov-2026"]]),
        Expected([TILDA]),
    ),
    "a header of several rows": (
        workbook(TILDA_ROW, before=[["Name", "", "Person", ""]]),
        Expected([TILDA]),
    ),
    "a second sheet of patients": (
        workbook(
            TILDA_ROW,
            more_sheets={
                "Visits": [["visit", "day"], ["1", "2"]],
                "Moved": [HEADER[:2], ["Prewett", "Gus"]],
            },
        ),
        Expected([TILDA], ignored=["the sheet “Moved”"]),
    ),
    "no columns of a patient": (
        workbook(("1", "2"), header=("Item", "Name")),
        Expected(message=NO_HEADER),
    ),
    "one column": (workbook(("1",), header=("alone",)), Expected(message=NO_SHEET)),
    "rows of other lengths": (
        workbook(TILDA_ROW, ("Prewett",), ("Quarry", "Ida", "", "", "", "", "more")),
        Expected([TILDA, person("Prewett", "")], ["7 columns, the header has 6"]),
    ),
    # What Excel opens, and stricter readers do not.
    "strict": (workbook(TILDA_ROW, GUS_ROW, namespace=STRICT), BOTH),
    "another prefix": (workbook(TILDA_ROW, GUS_ROW, prefix="x:"), BOTH),
    "empty styles of cells": (
        workbook(TILDA_ROW[:2], attributes=' s=""'),
        Expected([person("Ormsby", "Tilda")]),
    ),
    "backslashes": (changed(PLAIN, "", "", names={"/": "\\"}), BOTH),
    "parts beside the package": (
        changed(PLAIN, '"xl/', '"', names={"xl/": ""}),
        BOTH,
    ),
    "absolute targets": (
        changed(PLAIN, 'Target="worksheets', 'Target="/xl/worksheets'),
        BOTH,
    ),
    "names of parts in another case": (
        changed(PLAIN, "", "", names={"sharedStrings": "SharedStrings"}),
        BOTH,
    ),
    "an odd fill": (changed(PLAIN, "<cellXfs>", "<fills><fill/></fills><cellXfs>"), BOTH),
    "an odd colour": (
        changed(PLAIN, "<cellXfs>", '<fonts><font><color rgb="#1"/></font></fonts><cellXfs>'),
        BOTH,
    ),
    "an odd font": (
        changed(PLAIN, "<cellXfs>", '<fonts><font><family val="34"/></font></fonts><cellXfs>'),
        BOTH,
    ),
    "a wrong dimension": (
        changed(PLAIN, "<sheetData>", '<dimension ref="A1:A1"/><sheetData>'),
        BOTH,
    ),
    "an active tab that is not there": (
        changed(PLAIN, "<sheets>", '<bookViews><workbookView activeTab="7"/></bookViews><sheets>'),
        BOTH,
    ),
    "a broken title of prints": (
        changed(
            PLAIN,
            "</sheets>",
            "</sheets><definedNames><definedName "
            'name="_xlnm.Print_Titles">#REF!</definedName></definedNames>',
        ),
        BOTH,
    ),
    "a name of a cell's place alone": (changed(PLAIN, ' r="C2"', ""), BOTH),
    # What is no workbook to read.
    "a password": (
        b"\xd0\xcf\x11\xe0" + bytes(600) + "EncryptedPackage".encode("utf-16-le"),
        Expected(message="protected by a password"),
    ),
    "a ZIP of other files": (
        packed({"people.csv": "family_name,given_name\nOrmsby,Tilda\n"}),
        Expected(message="a ZIP file and not an Excel workbook"),
    ),
    "a part that is cut off": (
        changed(PLAIN, "</sheetData></worksheet>", ""),
        Expected(message="damaged"),
    ),
}


@pytest.mark.parametrize(("content", "expected"), FILES.values(), ids=FILES.keys())
def test_a_workbook_comes_in_right_or_says_truly_why_not(outcome_of, content, expected):
    check(outcome_of(content), expected)
