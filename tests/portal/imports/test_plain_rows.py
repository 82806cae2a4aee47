"""What a row has by the short way is what it has by the long one.

Planted bugs that make these red: a plain cell may hold a word for nothing; a plain number of a
column of numbers may have a decimal point; the order of birth and death is not compared.
"""

import csv
import io
import pickle
import random
from collections.abc import Iterable

import pytest

from portal.imports.matching import plain_rows
from portal.imports.matching.plain_rows import packed_rows, unpack
from portal.imports.matching.row import ReadRow, read_row
from portal.imports.readers import Row, open_patients, plain_values
from portal.patients.reference import identifier_proof
from tests.portal.imports.files import as_ndjson
from tests.real_files.workbooks import Cell, workbook

USUAL = {
    "family_name": ["Beispiel", "O'Brien", "Van Dyke", "Müller", "Null"],
    "given_name": ["Anna", "Mary Jane", "Li", ""],
    "date_of_birth": ["1984-03-15", "1990-12-01", "3/15/1984"],
    "sex": ["M", "F", "female"],
    "email": ["anna@mail.example", "b.c+d@e.example.org", ""],
    "phone": ["617 555 0131", "(617) 555-0132", "+49 30 901820"],
    "address_line1": ["12 Mill Lane", "St. Mary's Rd, Apt 4"],
    "city": ["Boston", "Salem"],
    "postal_code": ["02134", "D-10115"],
    "country": ["US", "Germany", ""],
    "race": ["white", ""],
    "deceased_on": ["", "", "2021-02-03"],
    "id": ["3f2b8c1e-0000-4000-8000-123456789abc", "3F2B8C1E-0000-4000-8000-123456789ABD", ""],
    "mrn": ["10000001", ""],
    "identifiers": ["ssn|219-09-9990; https://e.example|42", ""],
    "ssn": ["219-09-9991", "219099992", ""],
    "insurance": ["INS-10-1", "INS-10-2", "AB123", ""],
    "deceased": ["no", "", "N"],
    "status": ["active", ""],
}
ODD = [
    *("", "?", "NULL", "n/a", "unknown", "0", "#REF!", "err:502", "1.2E+08", "4E12", "123.0"),
    *("1,234", "'quoted'", '="02134"', "a  b", "M?ller", "MÃ¼ller", "Joh&uuml;", "\u200bAnn"),
    *("Total", "Total 5", "(required)", "911", "617.555.0131", "a@b", "1984-02-30", "3/4/1984"),
    *("15/3/1984", "1984", "1984-03", "9999-12-31", "1849-01-01", "2999-01-01", "x", "diverse"),
    *("Wunderland", "yes", "dead", "inactive", "merged", "000-00-0000", "XXX-XX-1234", "SEE FILE"),
    *("END123", "JAN-84", "DEC-1984", "ABX12", "12-34-56", "ssn|", "a|b|c|d|e", "y" * 300),
    *("insurance|I1|2018-01-01|2019-01-01", "\ufeffAnn", "İ", "12", "family_name", "Boston 5"),
]
MOST_COLUMNS = 10  # Of the workbooks that tests write.


def by_the_long_way(opened) -> list[ReadRow]:
    return [read_row(row) for row in opened.rows()]


def by_the_short_way(opened) -> list[ReadRow]:
    return [unpack(pickle.loads(pickle.dumps(packed))) for packed in packed_rows(opened)]


def is_plain(opened) -> bool:
    """Tells whether no row of the file needs the long way."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain_rows, "read_row", lambda row: pytest.fail(f"the long way: {row}"))
        return bool(list(packed_rows(opened)))


def as_plain(read: ReadRow) -> tuple:
    """Returns all that a row has, lists and tuples alike."""
    row, checked = with_lists(read.row), read.checked
    if checked is None:
        return row, list(read.problems)
    source, left_out = with_lists(checked.source), list(checked.left_out)
    values = checked._replace(source=source, left_out=left_out)
    types = [type(value) for value in checked.details.values()]
    return row, values, checked.compared_fields.name_key, types


def with_lists(row: Row) -> Row:
    problems, left_out, merged = map(list, (row.problems, row.left_out, row.merged))
    return row._replace(problems=problems, left_out=left_out, merged=merged)


def assert_both_ways_agree(path) -> None:
    opened = open_patients(path)
    short, long = by_the_short_way(opened), by_the_long_way(opened)
    for quick, whole in zip(short, long, strict=True):
        assert as_plain(quick) == as_plain(whole)


def as_quoted_csv(*rows: Iterable[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def drawn_table(dice: random.Random) -> tuple[list[str], list[list[str]]]:
    header = dice.sample(list(USUAL), dice.randrange(2, len(USUAL)))
    header[dice.randrange(2)] = "family_name"
    header = list(dict.fromkeys(header))
    odd_share = dice.choice([0, 0.01, 0.1, 0.5])
    rows = [
        [dice.choice(ODD if dice.random() < odd_share else USUAL[name]) for name in header]
        for _ in range(15)
    ]
    rows[3] = rows[3][:-1] if odd_share else rows[3]
    rows[5] = [*rows[5], ""]
    return header, rows


@pytest.mark.parametrize("seed", range(60))
def test_both_ways_agree_about_a_table(file, seed):
    header, rows = drawn_table(random.Random(seed))
    assert_both_ways_agree(file(as_quoted_csv(header, *rows)))


@pytest.mark.parametrize("seed", range(10))
def test_both_ways_agree_about_a_workbook(file, seed):
    dice = random.Random(seed)
    header, rows = drawn_table(dice)
    cells = [[as_kept(cell, dice) for cell in row[:MOST_COLUMNS]] for row in rows]
    cells[1][0] = Cell("12.5")
    path = file(workbook(*cells, header=header[:MOST_COLUMNS]), "people.xlsx")
    assert_both_ways_agree(path)


def test_both_ways_agree_about_numbers_that_a_spreadsheet_has_changed(file):
    header = ["family_name", "city", "postal_code", "phone", "ssn", "passport", "mrn"]
    day = Cell("30756", number_format="yyyy-mm-dd")
    rows = [
        ["Beispiel", *(kept if place == changed else Cell("219099991") for place in range(6))]
        for changed in range(6)
        for kept in (Cell("2134.5"), Cell("219099992.0"), day)
    ]
    assert_both_ways_agree(file(workbook(*rows, header=header), "people.xlsx"))


def as_kept(cell: str, dice: random.Random) -> str | Cell:
    """Returns the cell as a spreadsheet may keep it: a number, a day, or a text."""
    if cell.isdigit() and dice.random() < 0.5:
        return Cell(cell)
    if dice.random() < 0.1:
        return Cell("30756", number_format="yyyy-mm-dd")
    return cell.replace("\ufeff", "")


@pytest.mark.parametrize("text", [*ODD, *(text for texts in USUAL.values() for text in texts)])
def test_both_ways_agree_about_each_odd_text_in_each_field(file, text):
    names = [name for name in USUAL if name != "family_name"]
    person = dict.fromkeys(USUAL, "") | {"family_name": "Beispiel", "date_of_birth": "1984-03-15"}
    people = [person | {name: text} for name in names]
    people.append(dict.fromkeys(USUAL, "") | {"family_name": text, "ssn": "219-09-9990"})
    assert_both_ways_agree(file(as_quoted_csv(USUAL, *(row.values() for row in people))))


def test_both_ways_agree_about_resources(file):
    dice = random.Random(3)
    texts = [*ODD, *(text for texts in USUAL.values() for text in texts)]
    resources = [
        {
            "id": dice.choice(texts),
            "name": [{"family": dice.choice(texts), "given": [dice.choice(texts)]}],
            "birthDate": dice.choice([*USUAL["date_of_birth"], "1984", dice.choice(texts)]),
            "telecom": [
                {"system": "phone", "value": dice.choice(texts)},
                {"system": "email", "value": dice.choice(texts)},
            ],
            "address": [{"line": [dice.choice(texts)], "country": dice.choice(texts)}],
            "identifier": [{"system": "https://e.example", "value": dice.choice(texts)}],
            "deceasedDateTime": dice.choice(["2021-02-03", "1900-01-01", None]),
        }
        for _ in range(400)
    ]
    assert_both_ways_agree(file(as_ndjson(*resources), "people.ndjson"))


def test_usual_rows_take_the_short_way(file):
    dice = random.Random(4)
    people = [
        {name: dice.choice(texts) for name, texts in USUAL.items()} | {"deceased_on": ""}
        for _ in range(50)
    ]
    opened = open_patients(file(as_quoted_csv(USUAL, *(row.values() for row in people))))
    assert is_plain(opened)
    resource = {"name": [{"family": "Beispiel", "given": ["Anna"]}], "birthDate": "1984-03-15"}
    assert is_plain(open_patients(file(as_ndjson(resource), "people.ndjson")))


def test_few_texts_are_remembered_of_a_field(monkeypatch):
    monkeypatch.setattr(plain_values, "MAX_KNOWN", 3)
    field = plain_values.PlainField("city")
    for number in range(9):
        assert field.value_of(f"Salém {number}") == f"Salém {number}"
    assert len(field._known) <= 3


def test_numbers_that_look_plain_prove_what_they_prove_by_all_rules():
    dice = random.Random(5)
    letters = (
        "S",
        "AB",
        "INS",
        "END",
        "JAN",
        "DEC",
        "MAY",
        "ABX",
        "X",
        "NO",
        "LAST",
        "EIN",
        "SEPT",
    )
    for _ in range(3000):
        number = dice.choice(["", "-"]).join(
            [dice.choice(letters), *(str(dice.randrange(10 ** dice.randrange(1, 5))) for _ in "ab")]
        )
        for system in ("ssn", "insurance", "mrn-other", "https://e.example"):
            found = identifier_proof.why_it_proves_nothing(system, number)
            assert found == identifier_proof._by_all_rules(system, number.upper())
