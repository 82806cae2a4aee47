"""A name that is parted or spelt in another way is asked about in every channel."""

import pytest

from portal.patients.models import Patient

pytestmark = pytest.mark.django_db
BORN = "1971-02-03"
SPELLINGS = [
    (("O'Brien", "Pat"), ("O Brien", "Pat")),
    (("McDonald", "Ian"), ("Mc Donald", "Ian")),
    (("van den Berg", "Jan"), ("Vandenberg", "Jan")),
    (("de la Cruz", "Ana"), ("Delacruz", "Ana")),
    (("Al-Rashid", "Omar"), ("Alrashid", "Omar")),
    (("Smith-Jones", "Ann"), ("Smithjones", "Ann")),
    (("Kim", "Min-su"), ("Kim", "Minsu")),
    (("Stone", "Anne Marie"), ("Stone", "Annemarie")),
    (("Müller", "Käthe"), ("Mueller", "Kaethe")),
    (("Ångström", "Åsa"), ("Aangstroem", "Aasa")),
    (("Nørgård", "Bo"), ("Nørgaard", "Bo")),
    (("الهاشمي", "علي"), ("هاشمي", "علي")),
    (("الرحمن", "عبد"), ("عبدالرحمن", "")),
    (("佐々木", "希"), ("佐佐木", "希")),
    (("齋藤", "學"), ("斎藤", "学")),
    (("Suharto", ""), ("Suharto", "Suharto")),
    (("Ma", "J. R. R."), ("Ma", "JRR")),
]
by_spelling = pytest.mark.parametrize(("first", "second"), SPELLINGS, ids=range(len(SPELLINGS)))


def register(name: tuple[str, str]) -> Patient:
    return Patient.objects.create(family_name=name[0], given_name=name[1], date_of_birth=BORN)


@by_spelling
def test_a_program_is_asked(desk_api, first, second):
    known = register(first)
    body = {"familyName": second[0], "givenName": second[1], "dateOfBirth": BORN}
    answer = desk_api.post("/api/patients", body, content_type="application/json")
    assert answer.status_code == 409
    [candidate] = answer.json()["candidates"]
    assert (candidate["id"], candidate["grade"]) == (str(known.pk), "certain")
    body["duplicateReason"] = "Two people."
    answer = desk_api.post("/api/patients", body, content_type="application/json")
    assert answer.status_code == 201


@by_spelling
def test_a_page_is_asked(desk, first, second):
    known = register(first)
    boxes = {"date_of_birth_0": "3", "date_of_birth_1": "2", "date_of_birth_2": "1971"}
    panel = desk.post(
        "/patients/similar/", {"family_name": second[0], "given_name": second[1], **boxes}
    )
    assert known.mrn in panel.content.decode()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("Maria", "Anna"), ("Mari", "Hanna")),
        (("Smith", "Al"), ("Smith", "")),
        (("佐々木", "希"), ("佐木", "希")),
        (("Noel", "Ray"), ("Leon", "Ray")),
    ],
)
def test_other_names_are_no_spelling(desk_api, first, second):
    register(first)
    body = {"familyName": second[0], "givenName": second[1], "dateOfBirth": BORN}
    answer = desk_api.post("/api/patients", body, content_type="application/json")
    assert answer.status_code == 201
