"""Columns that say whether a person has died, and whether the source still uses the record."""

import pytest
from django.core.management import call_command

from portal.imports.readers import open_patients
from portal.patients.models import Patient
from tests.portal.imports.files import counts


@pytest.fixture
def row_of(file):
    """Returns a function that reads one person whose column has this word."""

    def read(column: str, word: str, died_on: str = ""):
        lines = f"family_name,given_name,{column},deceased_on\nBeispiel,Anna,{word},{died_on}\n"
        [row] = open_patients(file(lines)).rows()
        return row

    return read


@pytest.mark.parametrize("word", ["yes", "Y", "TRUE", "1", "Deceased", "oui"])
def test_someone_who_has_died_on_an_unknown_day_is_held_back(row_of, word):
    assert "whole day of death" in row_of("deceased", word).problems[0].reason
    assert not row_of("deceased", word, "2015-02-14").problems


@pytest.mark.parametrize("word", ["no", "N", "false", "0", "alive", "", "NULL"])
def test_someone_who_lives_comes_in_unless_a_day_of_death_says_otherwise(row_of, word):
    assert not row_of("deceased", word).problems
    contradicts = word not in ("", "NULL")
    assert bool(row_of("deceased", word, "2015-02-14").problems) == contradicts


def test_a_day_in_the_column_of_the_flag_is_the_day_of_death(row_of):
    assert row_of("deceased", "12/31/2015").details["deceased_on"] == "2015-12-31"


def test_a_word_that_may_mean_a_death_is_held_back(row_of):
    assert "Write yes or no" in row_of("deceased", "perhaps").problems[0].reason


@pytest.mark.parametrize(
    ("column", "word", "is_archived"),
    [
        ("active", "no", True),
        ("active", "0", True),
        ("active", "Inactive", True),
        ("active", "yes", False),
        ("status", "archived", True),
        ("Record Status", "INACTIVE", True),
        ("status", "active", False),
    ],
)
def test_a_record_that_is_not_used_is_archived(row_of, column, word, is_archived):
    row = row_of(column, word)
    assert (row.is_archived, row.problems) == (is_archived, [])


def test_a_replaced_record_stays_out_and_an_unknown_status_is_told(row_of):
    assert "replaced" in row_of("status", "merged").problems[0].reason
    [left_out] = row_of("status", "paid").left_out
    assert (left_out.column, left_out.value) == ("status", "paid")


@pytest.mark.django_db
def test_an_exported_archived_patient_comes_back_archived(import_text, capsys):
    code, report = import_text("family_name,given_name,active\nBeispiel,Anna,no\n")
    assert (code, counts(report)) == (0, {"new": 1})
    capsys.readouterr()
    call_command("export_patients", "--archived")
    exported = capsys.readouterr().out
    assert import_text(exported)[1]["unchanged"] == 1
    Patient.objects.all().delete()
    import_text(exported)
    assert Patient.objects.get().status == "archived"
