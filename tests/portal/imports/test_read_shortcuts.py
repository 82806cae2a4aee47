"""Shortcuts for what most files hold: each gives what the long way gives.

Planted bugs that make these red: a line with a blank behind a comma is split without the CSV
reader; a row with a mended sex is handed over as if it had said none; a header's name begins with
a digit.
"""

import csv
import json
import pickle
import random

import phonenumbers
import pytest
from django.core.validators import validate_email

from portal import csv_safe
from portal.csv_safe import escape_cell
from portal.imports.matching.plain_rows import pack, unpack
from portal.imports.matching.row import read_row
from portal.imports.readers import csv_file, fhir_json, open_patients, table_rows
from portal.imports.readers.cells import clean_cell
from portal.imports.readers.columns import _FIELD_OF_NAME, ALL
from portal.imports.readers.no_person import _HINT
from portal.patients.normalize import e164
from portal.patients.validation import PLAIN_EMAIL
from tests.portal.imports.files import as_csv, as_ndjson

LINES = [
    "Beispiel,Anna,1984-03-04\n",
    "Beispiel, Anna,1984-03-04\r\n",
    " Beispiel,Anna ,1984-03-04",
    '"Beispiel",Anna,"a ""b"", c"\n',
    "Beispiel,,\n",
    ",,\n",
    "Beispiel,Änna\x0bB,x\u2028y\n",
    "'Beispiel',O'Brien,x\ty\n",
]


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_a_plain_line_has_the_cells_that_the_csv_reader_finds(line, delimiter):
    line = line.replace(",", delimiter)
    plain = csv_file._without_quotes(line, delimiter)
    [cells] = csv.reader([line], delimiter=delimiter, strict=True, skipinitialspace=True)
    assert plain in ([], cells)


@pytest.mark.parametrize(
    "line", ["\n", "", 'a"b,c\n', "a\rb,c\n", "a,b\r\r\n", f"{'a' * 150_000},b\n"]
)
def test_other_lines_are_left_to_the_csv_reader(line):
    assert csv_file._without_quotes(line, ",") == []


def test_a_cell_that_came_before_is_read_as_the_first_time(file):
    people = [
        {"family_name": "Beispiel", "date_of_birth": "3/4/1984", "sex": "f", "ssn": "1.2E+08"},
        {"family_name": "?", "date_of_birth": "#REF!", "sex": "n/a", "ssn": "S1"},
    ]
    path = file(as_csv(*people * 3))
    rows = list(open_patients(path).rows())
    for row in rows[2:]:
        assert row._replace(number=0, end=0) == rows[row.number % 2]._replace(number=0, end=0)


def test_few_cells_are_remembered_of_each_column(file, monkeypatch):
    monkeypatch.setattr(table_rows, "MAX_KNOWN", 3)
    opened = open_patients(
        file(as_csv(*({"family_name": f"Row{n}", "ssn": f"S{n}"} for n in range(9))))
    )
    assert [row.details["family_name"] for row in opened.rows()] == [f"Row{n}" for n in range(9)]
    assert max(map(len, opened.row_reader.known)) <= 3


def test_no_known_column_and_no_hint_begins_with_a_digit():
    assert not any(name[:1].isdigit() for name in (*_FIELD_OF_NAME, *ALL))
    assert not any(
        _HINT.fullmatch(f"{digit}{rest}") for digit in "09" for rest in ("", "d", ")", "-")
    )


def test_a_row_is_the_same_after_it_was_handed_over(file):
    resources = [
        {"name": [{"family": "Beispiel"}], "gender": "q", "contact": [{}]},
        {"name": [{"family": "Ängström", "given": ["A"]}], "birthDate": "1984", "active": False},
        {"name": []},
    ]
    for row in open_patients(file(as_ndjson(*resources))).rows():
        handed_over = unpack(pickle.loads(pickle.dumps(pack(row))))
        assert handed_over == read_row(row)


def test_the_last_four_digits_of_a_number_of_the_us_do_not_matter():
    dice = random.Random(12)
    for _ in range(3000):
        digits = (
            f"{dice.randrange(200, 1000)}{dice.randrange(200, 1000)}{dice.randrange(10_000):04}"
        )
        number = phonenumbers.PhoneNumber(1, int(digits))
        is_valid = phonenumbers.is_valid_number_for_region(number, "US")
        if is_valid or not phonenumbers.is_valid_number(number):
            assert e164(digits, "US") == (f"+1{digits}" if is_valid else "")


@pytest.mark.parametrize(
    "address", ["a@b.de", "Anna.Maria-B+c_d@mail.example.org", "1@2.example", "a.b.c@d.e.f.gh"]
)
def test_a_plain_address_passes_the_check_of_every_address(address):
    assert PLAIN_EMAIL.match(address)
    validate_email(address)


@pytest.mark.parametrize(
    "address", ["a@b", "a..b@c.de", ".a@b.de", "a@b.de\n", "ä@b.de", "a@-b.de", "a b@c.de", "a@b.c"]
)
def test_other_addresses_are_left_to_that_check(address):
    assert not PLAIN_EMAIL.match(address)


def test_words_for_nothing_depend_on_the_field():
    assert clean_cell("family_name", "Null") == "Null"
    assert [clean_cell(name, "NULL") for name in ("given_name", "city", "ssn")] == ["", "", ""]
    assert clean_cell("email", "unknown") == ""
    assert clean_cell("city", "Unknown") == "Unknown"
    assert clean_cell("deceased_on", "31/12/9999") == ""
    assert clean_cell("date_of_birth", "0000-00-00") == clean_cell("sex", "??") == ""


def test_a_cell_that_is_harmless_at_a_look_gets_no_apostrophe_by_the_whole_pattern():
    dice = random.Random(8)
    for _ in range(20_000):
        cell = "".join(dice.choices("aZ0 ;=+-@'\t\n\r\"\u3164\uff1dä", k=dice.randrange(6)))
        assert escape_cell(cell) == csv_safe._HARMFUL.sub("'", cell)


def test_a_member_that_stands_twice_is_found_however_it_is_written():
    dice = random.Random(9)
    for _ in range(2000):
        names = dice.choices(["a", "b", 'c":', " d "], k=dice.randrange(1, 5))
        colon = dice.choice([":", " :", "\n: "])
        members = [f"{json.dumps(name)}{colon}{dice.choice(VALUES)}" for name in names]
        text = "{" + ",".join(members) + "}"
        found = fhir_json.has_repeated_member(text, json.loads(text))
        assert found == (len(set(names)) < len(names)), text


# The text of the last one looks like the name of a member.
VALUES = ("1", '{"x": [{}, {"y" : null}]}', '"a"', r'"\":"')
