"""Codes and dates that mean something only beside the other rows of their column."""

import pytest
from django.core.management import CommandError

from portal.imports.matching.row import check_row
from portal.imports.readers import open_patients
from portal.imports.readers.values import guess_meanings
from portal.patients.models import Patient
from tests.portal.imports.files import counts, import_file


def sexes(path, **reading) -> list[str]:
    rows = open_patients(path, **reading).rows()
    return [row.details.get("sex", (row.problems and "refused") or "") for row in rows]


def births(path, **reading) -> list[str]:
    found = []
    for row in open_patients(path, **reading).rows():
        checked = check_row(row)
        found.append(
            "refused" if isinstance(checked, list) else str(checked.details["date_of_birth"])
        )
    return found


def as_column(name: str, *cells: str) -> str:
    return f"family_name,{name}\n" + "".join(f"Beispiel,{cell}\n" for cell in cells)


@pytest.mark.parametrize("other", ["H", "W", "D", "V", "1", "X", "Mujer"])
def test_m_beside_another_code_is_not_english(file, other):
    path = file(as_column("sex", "M", "female", other))
    assert sexes(path)[:2] == ["refused", "female"]


def test_codes_of_english_and_words_are_read(file):
    path = file(as_column("sex", "M", "f", "U", "", "männlich", "Woman"))
    assert sexes(path)[:4] == ["refused", "refused", "refused", ""]
    path = file(as_column("sex", "M", "f", "U", "", "NULL", "Woman"))
    assert sexes(path) == ["male", "female", "unknown", "", "", "female"]


def test_a_meaning_that_a_person_gave_is_taken(file):
    path = file(as_column("sex", "M", "H", "-1"))
    meanings = {"sex": {"m": "female", "h": "male", "-1": ""}}
    assert sexes(path, values=meanings) == ["female", "male", ""]


@pytest.mark.parametrize(
    ("found", "meanings"),
    [
        (["M", "W", "divers"], {"m": "male", "w": "female", "divers": "other"}),
        (["M", "H"], {"m": "female", "h": "male"}),
        (["H", "F"], {"h": "male", "f": "female"}),
        (["1", "2", "9"], {"1": "male", "2": "female", "9": "unknown"}),
        (["M", "Q"], {"m": "?", "q": "?"}),
    ],
)
def test_meanings_are_guessed_from_all_codes_together(found, meanings):
    assert guess_meanings(found) == meanings


def test_the_command_takes_meanings(db, file):
    path = file(as_column("sex", "M", "H"))
    assert counts(import_file(path)[1]) == {"rejected": 2}
    _, report = import_file(
        path, "--map", "sex:M=female", "--map", "sex:h=male", "--allow-duplicates"
    )
    assert counts(report) == {"new": 2}
    assert set(Patient.objects.values_list("sex", flat=True)) == {"female", "male"}
    with pytest.raises(CommandError, match="Write --map"):
        import_file(path, "--map", "sex:M=man")


def test_a_date_that_proves_the_order_decides_for_all(file):
    path = file(as_column("date_of_birth", "03/04/1984", "12/31/1990", "1/9/71", "7/7/1962"))
    proven = ["1984-03-04", "1990-12-31", "1971-01-09", "1962-07-07"]
    assert births(path) == births(path, date_order="DMY") == proven


def test_without_a_proof_the_chosen_order_counts(file, settings):
    path = file(as_column("date_of_birth", "03/04/1984", "3-4-84", "1984-03-04", "03.04.1984"))
    assert births(path, date_order="MDY") == ["1984-03-04"] * 3 + ["1984-04-03"]
    assert births(path, date_order="DMY") == ["1984-04-03"] * 2 + ["1984-03-04", "1984-04-03"]
    settings.DATE_ORDER = "MDY"
    assert births(path)[0] == "1984-03-04"


def test_a_file_of_both_orders_is_asked_for_other_dates(file):
    path = file(as_column("date_of_birth", "03/04/1984", "12/31/1990", "31/12/1990"))
    assert births(path) == ["refused", "1990-12-31", "1990-12-31"]


def test_death_and_registration_follow_the_order_of_the_file(file):
    path = file("family_name,dob,deceased_on,registered_on\nB,12/31/1900,3/4/2015,3/4/2014\n")
    checked = check_row(next(open_patients(path).rows()))
    assert str(checked.details["deceased_on"]) == "2015-03-04"
    assert str(checked.details["registered_on"]) == "2014-03-04"
