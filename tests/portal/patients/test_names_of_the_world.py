"""Names of many languages are one name however they are typed: for search and for duplicates."""

from datetime import date

import pytest
from django.db import connection

from portal.patients.matching.rules import compared_fields, grade_match
from portal.patients.models import Patient
from portal.patients.normalize import fold, name_key
from portal.patients.search.engine import search

pytestmark = pytest.mark.django_db
BORN = "1971-02-03"
# Two spellings of one name, each as (family name, given name).
SPELLINGS = [
    (("Łukasiewicz", "Jan"), ("Lukasiewicz", "Jan")),
    (("Đorđević", "Ana"), ("Dordevic", "Ana")),
    (("Sørensen", "Bo"), ("Sorensen", "Bo")),
    (("Strauß", "Eva"), ("STRAUSS", "Eva")),
    (("Ægir", "Jón"), ("Aegir", "Jon")),
    (("Þorsteinn", "Ari"), ("Thorsteinn", "Ari")),
    (("Yıldız", "Can"), ("YILDIZ", "Can")),
    (("Παπαδόπουλος", "Νίκος"), ("ΠΑΠΑΔΟΠΟΥΛΟΣ", "ΝΙΚΟΣ")),
    (("\u0623\u062d\u0645\u064e\u062f", "Ali"), ("\u0627\u062d\u0645\u062f", "Ali")),
    (
        ("\u0647\u062f\u0649", "\u0641\u0627\u0637\u0645\u0629"),
        ("\u0647\u062f\u064a", "\u0641\u0627\u0637\u0645\u0647"),
    ),
    (("\u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd", "A"), ("\u05e9\u05dc\u05d5\u05dd", "A")),
    (("O\u02bbKeale", "Ann"), ("O'Keale", "Ann")),
    (("O\u00b4Keale", "Ann"), ("OKeale", "Ann")),
    (("O\uff07Keale", "Ann"), ("O\u2019Keale", "Ann")),
    (("Or\u00admond", "Til\u200bda"), ("Ormond", "Tilda")),
    (("王小明", ""), ("王", "小明")),
    (("王", "小明"), ("小明", "王")),
    (("山田", "ハナコ"), ("山田", "はなこ")),
    (("김민수", ""), ("김", "민수")),
    (("髙橋", "誠"), ("高橋", "誠")),
    (("Bình", "Nguyễn Văn"), ("Nguyễn", "Văn Bình")),
    (("Jones", "Maria"), ("Maria", "Jones")),
]
by_spelling = pytest.mark.parametrize(("first", "second"), SPELLINGS, ids=range(len(SPELLINGS)))


def details(name: tuple[str, str], **more) -> dict:
    return {"familyName": name[0], "givenName": name[1], **more}


@by_spelling
def test_both_spellings_have_one_key_in_python_and_sql(first, second):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT patients_name_key(%s, %s), patients_name_key(%s, %s)", first + second
        )
        assert {*cursor.fetchone()} == {name_key(*first)} == {name_key(*second)}


@pytest.mark.parametrize(("first", "second"), [SPELLINGS[at] for at in (0, 3, 8, 15, 20)])
def test_a_program_cannot_register_the_other_spelling(desk_api, first, second):
    assert (
        desk_api.post(
            "/api/patients", details(first, dateOfBirth=BORN), content_type="application/json"
        ).status_code
        == 201
    )
    answer = desk_api.post(
        "/api/patients", details(second, dateOfBirth=BORN), content_type="application/json"
    )
    assert answer.status_code == 409
    assert answer.json()["candidates"][0]["grade"] == "certain"


@pytest.mark.parametrize(("first", "second"), SPELLINGS[:15], ids=range(15))
def test_each_spelling_finds_the_other_as_a_name(first, second):
    Patient.objects.create(family_name=first[0], given_name=first[1])
    for typed in (second[0], f"{second[1]} {second[0]}"):
        [hit] = search(Patient.objects.all(), typed, limit=5).hits
        assert hit.reason == "Name"


@pytest.mark.parametrize("marks", [(".", "?"), ("- -", "\u200b."), ("12", "12")])
def test_names_without_a_letter_are_never_compared(marks):
    first, second = (
        compared_fields({"family_name": mark, "given_name": "", "date_of_birth": date(1971, 2, 3)})
        for mark in marks
    )
    assert grade_match(Patient().pk, first, new=second) is None


def test_marks_of_letters_separate_no_words():
    assert len(fold("शर्मा").split()) == len(fold("がぎぐ").split()) == 1
