"""Rows of CSV: columns by many names, broken rows alone, row numbers as in a spreadsheet."""

import re
import time
import unicodedata
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings, strategies

from portal.csv_safe import escape_cell, unescape_cell
from portal.imports import identifier_cell
from portal.imports.readers import open_patients
from portal.imports.readers.csv_file import MAX_CELL_LINES
from portal.patients.validation import validate_details
from tests.portal.imports.files import ANNA, BEN, as_csv

AT_ANY_PACE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture
def rows(file):
    return lambda content: list(open_patients(file(content)).rows())


def test_synthea_columns_in_any_order_and_case(rows):
    uuid = "018f428e-34f6-4707-8009-5ad742f901e7"
    [row] = rows(
        "gender,LAST,First,birthdate,Id,SSN,DRIVERS,PASSPORT,ZIP,MARITAL,RACE,DEATHDATE,ADDRESS,"
        "STATE\n"
        f"F,Beispiel,Anna,1956-08-03,{uuid},999-1,S9,X9,01940,M,black,2007-03-25,1 Row,Ohio\n"
    )
    assert row.number == 2
    assert row.details == {
        "sex": "female",
        "family_name": "Beispiel",
        "given_name": "Anna",
        "date_of_birth": "1956-08-03",
        "postal_code": "01940",
        "marital_status": "M",
        "deceased_on": "2007-03-25",
        "race": "Black or African American",
        "address_line1": "1 Row",
        "region": "Ohio",
        "identifiers": [
            {"system": "ssn", "value": "999-1"},
            {"system": "driver", "value": "S9"},
            {"system": "passport", "value": "X9"},
            {"system": "record-id", "value": uuid},
        ],
    }


def test_columns_that_are_not_imported_are_named(file):
    opened = open_patients(file("family_name,given_name,shoe size,,reason\nBeispiel,Anna,38,x,\n"))
    assert opened.ignored == ["shoe size", "column 4 (without a name)", "reason"]


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_delimiters_are_read(rows, delimiter):
    assert rows(as_csv(ANNA).replace(",", delimiter))[0].details["given_name"] == "Anna"


def test_empty_cells_are_left_out_and_empty_rows_are_no_rows(rows):
    first, second = rows(
        "family_name,given_name,email\nBeispiel,Anna,\n,,\n\nSample,Ben,b@example.org\n"
    )
    assert (first.number, second.number) == (2, 5)
    assert "email" not in first.details


def test_a_date_of_birth_may_be_a_year_or_a_month(rows):
    births = []
    for row in rows("family_name,date_of_birth\nA,1956\nB,1956-08\nC,03/1956\n"):
        details = validate_details(row.details)
        births.append((details["date_of_birth"], details["date_of_birth_precision"]))
    assert births == [
        (date(1956, 1, 1), "year"),
        (date(1956, 8, 1), "month"),
        (date(1956, 3, 1), "month"),
    ]


def test_a_number_that_is_no_uuid_and_an_mrn_beside_a_uuid_are_ignored(rows):
    uuid = "018f428e-34f6-4707-8009-5ad742f901e7"
    number, both, mrn = rows(f"id,mrn,family_name\n17,,A\n{uuid},555,B\n,555,C\n")
    assert "identifiers" not in number.details
    assert both.details["identifiers"] == [{"system": "record-id", "value": uuid}]
    assert mrn.details["identifiers"] == [{"system": "mrn-other", "value": "555"}]


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ("Sample,Ben,x,y", "4 columns, the header has 3"),
        ("Sample,Ben", "2 columns, the header has 3"),
        ('Sample,"Ben,x', "never closed"),
        ('Sample,"Be"n,x', "Double it"),
        ("Sample,Be\rn,x", "line end"),
        ("Sample,Be\0n,x", "NUL"),
        ('Sample,"' + "n" * 140_000 + '",x', "too long"),
    ],
)
def test_a_broken_row_costs_itself_alone(rows, broken, words):
    first, bad, last = rows(
        f'family_name,given_name,city\nOne,"A ""B"" C",x\n{broken}\n"Two",Last,"New\nYork"\n'
    )
    assert (bad.number, last.number) == (3, 4)
    assert words in str(bad.problems[0])
    assert first.details["given_name"] == 'A "B" C'
    assert last.details["city"] == "New York"


def test_a_quote_never_closed_does_not_swallow_the_rows_behind_it(rows):
    behind = "".join(f'P{n},"Given, {n}"\n' for n in range(MAX_CELL_LINES * 3))
    found = rows('family_name,given_name\nBad,"open\n' + behind)
    assert [row.number for row in found if row.problems] == [2]
    assert len(found) == MAX_CELL_LINES * 3 + 1


def test_reading_goes_on_behind_any_row(file):
    opened = open_patients(file(as_csv(ANNA, BEN)))
    assert [row.number for row in opened.rows(after=2)] == [3]
    assert list(opened.rows())[-1].end == opened.size


def test_a_wrong_cell_of_identifiers_is_a_problem_of_its_column(rows):
    [row] = rows("family_name,Identifiers\nA,ssn-without-value\n")
    assert str(row.problems[0]).startswith('Identifiers "ssn-without-value": Write identifiers as')


@AT_ANY_PACE
@given(
    strategies.lists(
        strategies.tuples(
            strategies.text(min_size=1, max_size=6), strategies.text(min_size=1, max_size=6)
        ),
        max_size=3,
    )
)
def test_identifiers_survive_their_cell(pairs):
    pairs = [
        (system.strip(), value.strip())
        for system, value in pairs
        if system.strip() and value.strip()
    ]
    for days in ((), ("", ""), ("2018-01-01", "2019-01-01"), ("", "2019-01-01"), ("2018-01-01",)):
        cell = identifier_cell.format_cell([*pair, *days] for pair in pairs)
        named = dict(zip(("valid_from", "valid_to"), days, strict=False))
        days_read = {name: day for name, day in named.items() if day}
        assert identifier_cell.parse_cell(cell) == [
            {"system": system, "value": value, **days_read} for system, value in pairs
        ]


@AT_ANY_PACE
@given(strategies.text(alphabet="'\"=+-@ab;\t\n \u200b\ufeff\uff1d", max_size=8))
def test_a_formula_is_harmless_in_a_file_and_unchanged_when_read_back(cell):
    escaped = escape_cell(cell)
    assert not escaped.startswith(("=", "+", "-", "@", "\t", "\n"))
    assert not [part for part in re.split(r"[;\t\n]", escaped) if is_formula(part)]
    assert unescape_cell(escaped) == cell


@pytest.mark.parametrize(
    "cell",
    [
        "＝1+1",
        "＋1",
        "－1",
        "＠SUM(1)",
        "\u200b=1",
        "\ufeff=1",
        "\u00ad\u2060 =1",
        "\u00a0=1",
        "\n=1",
        "\r\n=1",
        "Main Street 1\n=1",
        "Main Street 1;=1",
        "1\t=1",
        'Main Street 1;"=1"',
    ],
)
def test_each_disguise_of_a_formula_gets_an_apostrophe(cell):
    assert "'" in escape_cell(cell)
    assert unescape_cell(escape_cell(cell)) == cell


@pytest.mark.parametrize("cell", ["", "O'Brien", "a=b", "1-2", "Anna; Ben", "'t Hooft", "x\ny"])
def test_a_harmless_cell_stays_as_it_is(cell):
    assert escape_cell(cell) == cell


def is_formula(part: str) -> bool:
    """Tells whether a spreadsheet could run it: one reads wide forms and drops the unseen."""
    text = unicodedata.normalize("NFKC", part)
    seen = "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
    return seen.strip(' "').startswith(("=", "+", "-", "@"))


@pytest.mark.parametrize("text", ["[" * 70_000, "*" * 70_000 + "x", "(" * 70_000])
def test_a_cell_of_very_many_signs_is_read_at_once(rows, text):
    began = time.process_time()
    first, second = rows(f"family_name,given_name\nBeispiel,Anna\nMuster,{text}\n")
    assert first.details["given_name"] == "Anna"
    assert second.number == 3
    assert time.process_time() - began < 5


@pytest.mark.parametrize("encoding", ["utf-8", "windows-1252"])
def test_signs_between_lines_within_a_cell_are_spaces(file, encoding):
    """As FileMaker writes them; red where such a short file is none of text."""
    people = [f"Müller{letter},A\x0bB\x1d" for letter in "abcdefghijkl"]
    content = "\n".join(["family_name,given_name", *people]).encode(encoding)
    opened = open_patients(file(content), encoding=encoding)
    assert [row.details["given_name"] for row in opened.rows()] == ["A B"] * len(people)
