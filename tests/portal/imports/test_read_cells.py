"""Cells of a table: texts for nothing, numbers as programs write them, damaged and odd lines."""

import pytest

from portal.imports.readers import open_patients

TWO = "family_name,given_name\n"


@pytest.fixture
def rows(file):
    return lambda content: list(open_patients(file(content)).rows())


def reason(row) -> str:
    return row.problems[0].reason if row.problems else ""


@pytest.mark.parametrize("nothing", ["NULL", "(null)", r"\N", "N/A", "--", "nan"])
def test_a_word_for_nothing_is_an_empty_cell(rows, nothing):
    [row] = rows(f"family_name,middle_name,date_of_birth,email,ssn\nBeispiel{f',{nothing}' * 4}\n")
    assert row.details == {"family_name": "Beispiel"}


def test_a_person_may_be_called_null(rows):
    null, none = rows("family_name,given_name,date_of_birth\nNull,Peter,0000-00-00\n(null),Ida,\n")
    assert null.details == {"family_name": "Null", "given_name": "Peter"}
    assert none.details == {"given_name": "Ida"}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("6175550131.0", "6175550131"), ("6,175,550,131", "6175550131"), ("617 555", "617 555")],
)
def test_numbers_as_programs_write_them_are_digits(rows, typed, meant):
    [row] = rows(f'family_name,phone,ssn,zip\nBeispiel,"{typed}","{typed}",2110.0\n')
    assert row.details["phone"] == row.details["identifiers"][0]["value"] == meant
    assert row.details["postal_code"] == "2110"


def test_a_shortened_number_is_refused_and_a_passport_with_an_e_is_not(rows):
    header = "family_name,insurance,passport\n"
    short, passport = rows(f"{header}A,1.23457E+11,\nB,,12E4567\n")
    assert "shortened this number" in reason(short)
    assert passport.details["identifiers"][0]["value"] == "12E4567"


def test_a_spreadsheets_error_is_no_name(rows):
    [row] = rows(TWO + "Beispiel,#N/A\n")
    assert "shows an error" in reason(row)


def test_the_apostrophe_of_a_text_cell_goes_and_that_of_a_name_stays(rows):
    families = [
        row.details["family_name"] for row in rows(TWO + "'Beispiel,A\n't Hooft,B\nO'D,C\n")
    ]
    assert families == ["Beispiel", "'t Hooft", "O'D"]


@pytest.mark.parametrize(
    "name",
    ["MuÃ±oz", "Mu\N{REPLACEMENT CHARACTER}oz", "Mu?oz", "M&uuml;ller", "å±±ç”°", "Ã÷ÔÂ", "Mu±oz"],
)
def test_a_damaged_name_is_held_back(rows, name):
    [row] = rows(f"{TWO}{name},Anna\n")
    assert row.problems[0].column == "family_name"


@pytest.mark.parametrize(
    "name",
    [
        "Muñoz",
        "Österåker",
        "Ä",
        "Gal·la",
        "Đặng",
        "山田",
        "Πέτρου",
        "Groß–Öz",
        "ʻOkina",
        "Smith & Co",
    ],
)
def test_a_good_name_is_not_taken_for_a_damaged_one(rows, name):
    [row] = rows(f"{TWO}{name},Anna\n")
    assert row.details["family_name"] == name


@pytest.mark.parametrize("hint", ["sep=;\n", '"sep=;"\r\n', "", "North Clinic\n;\n"])
def test_a_hint_or_a_title_before_the_header_is_no_header(rows, hint):
    [row] = rows(hint + "family_name;given_name\nBeispiel;Anna, B\n")
    assert row.details == {"family_name": "Beispiel", "given_name": "Anna, B"}


def test_bars_part_cells_and_blanks_may_stand_before_quotes(rows):
    [bars] = rows("family_name|given_name\nBeispiel|Anna\n")
    [blanks] = rows('"family_name", "given_name"\n"Beispiel", "Anna"\n')
    assert bars.details == blanks.details == {"family_name": "Beispiel", "given_name": "Anna"}


def test_an_empty_cell_too_many_costs_nothing(rows):
    [row] = rows(TWO + "Beispiel,Anna,,\n")
    assert row.details == {"family_name": "Beispiel", "given_name": "Anna"}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("\ufefffamily_name,given_name", "repeats the header"),
        ("Family_Name,Given_Name", "repeats the header"),
        ("# made on Monday,", "comment"),
        ("# made on Monday, by us, twice", "comment"),
        ("(required),Text", "describes the columns"),
    ],
)
def test_a_line_that_is_no_person_is_told_and_not_imported(rows, line, words):
    no_person, person = rows(f"{TWO}{line}\nBeispiel,Anna\n")
    assert words in reason(no_person)
    assert person.details == {"family_name": "Beispiel", "given_name": "Anna"}


@pytest.mark.parametrize(
    ("column", "cell", "meant"),
    [
        ("zip", '"=""02134"""', "02134"),
        ("city", "'Salem'", "Salem"),
        ("city", "\u200eSalem\u200e", "Salem"),
        ("phone", "unknown", None),
        ("phone", "0", None),
        ("email", "?", None),
        ("date_of_birth", "1/0/1900", None),
        ("date_of_birth", "UNK", None),
        ("date_of_birth", "1984-03-00", "1984-03"),
        ("date_of_birth", '"Thursday, March 15, 1984"', "1984-03-15"),
        ("date_of_birth", "1984–03–15", "1984-03-15"),
        ("deceased_on", "9999-12-31", None),
        ("phone", '"6175550131,0"', "6175550131"),
    ],
)
def test_a_cell_is_read_as_it_is_meant(rows, column, cell, meant):
    [row] = rows(f"family_name,{column}\nBeispiel,{cell}\n")
    others = [value for name, value in row.details.items() if name != "family_name"]
    assert (others, row.problems) == ([meant] if meant else [], [])


@pytest.mark.parametrize("error", ["#NV", "#BEZUG!", "#¿NOMBRE?", "#BUSY!", "Err:508", "#####"])
def test_errors_of_spreadsheets_in_any_language_are_held_back(rows, error):
    [row] = rows(f"{TWO}Beispiel,{error}\n")
    assert "shows an error" in reason(row)


def test_a_name_without_a_letter_is_left_out_and_a_number_is_held_back(rows):
    unknown, zero, number = rows(f"{TWO}Beispiel,?\nBeispiel,0\nBeispiel,4711\n")
    for row in (unknown, zero):
        assert row.details == {"family_name": "Beispiel"}
        assert row.left_out[0].column == "given_name"
    assert "A name has letters" in reason(number)


def test_a_record_id_that_is_no_uuid_is_told_as_left_out(rows):
    [row] = rows("id,family_name\n4711,Beispiel\n")
    assert (row.left_out[0].column, row.left_out[0].value) == ("id", "4711")


@pytest.mark.parametrize(
    "line",
    [
        "Last name,First name,DOB",
        "-----,-----,-----",
        "Total,15,",
        "Grand total: 15,,",
        "Page 1 of 2,,",
        "<family>,<given>,",
        "// made by us,,",
        "This list is confidential,,",
    ],
)
def test_a_line_about_the_table_is_no_person(rows, line):
    no_person, person = rows(f"family_name,given_name,dob\n{line}\nPage,Count,1984-03-15\n")
    assert "no person" in reason(no_person) or "repeats the header" in reason(no_person)
    assert person.details["family_name"] == "Page"


@pytest.mark.parametrize(
    "header", ["LastName,firstName,DateOfBirth", "Surname*,Given (first),Patient DOB (y-m-d)"]
)
def test_names_of_columns_are_understood_as_people_write_them(rows, header):
    [row] = rows(f"{header}\nBeispiel,Anna,1984-03-15\n")
    assert row.details["date_of_birth"] == "1984-03-15"
    assert row.details["given_name"] == "Anna"


def test_english_words_beside_english_codes_leave_them_english(rows):
    woman, other = rows("family_name,sex\nBeispiel,F\nSample,Non-binary\n")
    assert (woman.details["sex"], other.details["sex"]) == ("female", "other")
