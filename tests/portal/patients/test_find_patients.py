"""The search box finds by name, date, phone, MRN and identifier, the best hit first."""

import re

import pytest
from django.db import connection

from portal.patients.models import AccessRecord, Patient
from portal.patients.normalize import identifier_value
from portal.patients.search.engine import search
from portal.patients.services import archive_patient, register_patients
from portal.patients.validation import validate_details

pytestmark = pytest.mark.django_db
PEOPLE = [
    ("Smith", "John", "1984-03-15", "+44 20 7946 0018", [("passport", "X45815551X")]),
    ("Smith", "Joanna", "1990-01-02", "", []),
    ("Smyth", "Jane", "1975-06-07", "", []),
    ("Smithers", "Waylon", "1960-01-01", "", []),
    ("Adams", "Smith", "1971-01-01", "", []),
    ("Müller", "Zoë", "2001-12-31", "(030) 123-4567", [("ssn", "999-22-1962")]),
    ("O'Brien", "Conan", "1963-04-18", "", []),
    ("van der Berg", "Anna Maria", "1984-03-02", "", []),
    ("Gonzalez", "Maria", "1984-11-30", "617 555 1984", [("insurance", "GB 77 1984")]),
]


@pytest.fixture(autouse=True)
def people():
    details = []
    for family, given, born, phone, identifiers in PEOPLE:
        details.append(
            {
                "family_name": family,
                "given_name": given,
                "date_of_birth": born,
                "phone": phone,
                "identifiers": [
                    {"system": system, "value": identifier_value(value)}
                    for system, value in identifiers
                ],
            }
        )
    return register_patients(details, by=None, source="command")


def found(text: str, **more) -> list[str]:
    return [
        f"{hit.patient.list_name}: {hit.reason}"
        for hit in search(Patient.objects.all(), text, limit=50, **more).hits
    ]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("smith jo", ["SMITH, Joanna: Name", "SMITH, John: Name"]),
        ("jo smith", ["SMITH, Joanna: Name", "SMITH, John: Name"]),
        ("smi joh", ["SMITH, John: Name"]),
        ("SMITH, John", ["SMITH, John: Name"]),
        (
            "smith",
            [
                "SMITH, Joanna: Name",
                "SMITH, John: Name",
                "SMITHERS, Waylon: Name",
                "ADAMS, Smith: Name",
            ],
        ),
        ("muller", ["MÜLLER, Zoë: Name"]),
        ("ZOE MÜLLER", ["MÜLLER, Zoë: Name"]),
        ("obrien", ["O'BRIEN, Conan: Name"]),
        ("o'brien", ["O'BRIEN, Conan: Name"]),
        ("o brien", ["O'BRIEN, Conan: Name"]),
        ("maria van der berg", ["VAN DER BERG, Anna Maria: Name"]),
        ("berg anna", ["VAN DER BERG, Anna Maria: Name"]),
    ],
)
def test_beginnings_of_names_are_found_in_any_order(text, first):
    assert found(text)[: len(first)] == first


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("smyth", "SMYTH, Jane: Name"),
        ("smyth john", "SMITH, John: Sounds alike: Smith"),
        ("jhon smith", "SMITH, John: Sounds alike: John"),
        ("smiht joanna", "SMITH, Joanna: Sounds alike: Smith"),
        ("mueller", "MÜLLER, Zoë: Sounds alike: Muller"),
        ("gonsales", "GONZALEZ, Maria: Sounds alike: Gonzalez"),
        ("gonzlaes", "GONZALEZ, Maria: Sounds alike: Gonzalez"),
        ("conam", "O'BRIEN, Conan: One letter off: Conan"),
        ("gomzalex", "GONZALEZ, Maria: Two letters off: Gonzalez"),
    ],
)
def test_misheard_and_misspelt_names_are_found_with_a_reason(text, first):
    assert found(text)[0] == first


@pytest.mark.parametrize(
    "text",
    [
        "15 3 84",
        "15/3/84",
        "15.03.1984",
        "15 mar 1984",
        "March 15, 1984",
        "1984-03-15",
        "1984/3/15",
        "15031984",
        "19840315",
    ],
)
def test_a_date_of_birth_is_found_in_every_form(text):
    assert found(text) == ["SMITH, John: Born 15-Mar-1984"]


@pytest.mark.parametrize(
    ("text", "hits"),
    [
        ("3/1984", ["SMITH, John: Born in Mar-1984", "VAN DER BERG, Anna Maria: Born in Mar-1984"]),
        (
            "mar 1984",
            [
                "SMITH, John: Born in Mar-1984",
                "VAN DER BERG, Anna Maria: Born in Mar-1984",
                "GONZALEZ, Maria: Name, Born in 1984",
            ],
        ),
        ("1984-11", ["GONZALEZ, Maria: Born in Nov-1984"]),
        (
            "1984",
            [
                "GONZALEZ, Maria: Phone ends in 1984",
                "SMITH, John: Born in 1984",
                "VAN DER BERG, Anna Maria: Born in 1984",
            ],
        ),
        ("smith 1984", ["SMITH, John: Name, Born in 1984"]),
        ("15 mar 84 smith", ["SMITH, John: Name, Born 15-Mar-1984"]),
        ("smyth john 15/3/84", ["SMITH, John: Sounds alike: Smith, Born 15-Mar-1984"]),
        ("30 feb 1984", []),
        ("1 jan 2999", []),
    ],
)
def test_a_month_or_year_is_found_alone_or_with_a_name(text, hits):
    assert found(text) == hits


@pytest.mark.parametrize(
    ("text", "hit"),
    [
        ("0018", "SMITH, John: Phone ends in 0018"),
        ("946 0018", "SMITH, John: Phone"),
        ("+44 20 7946 0018", "SMITH, John: Phone"),
        ("020 7946 0018", "SMITH, John: Phone"),
        ("442079460018", "SMITH, John: Phone"),
        ("030 1234567", "MÜLLER, Zoë: Phone"),
        ("smith 018", "SMITH, John: Name, Phone ends in 018"),
        ("X45815551X", "SMITH, John: Passport"),
        ("x4581 5551 x", "SMITH, John: Passport"),
        ("551X", "SMITH, John: Passport ends in 551X"),
        ("999-22-1962", "MÜLLER, Zoë: Social security"),
        ("1962", "MÜLLER, Zoë: Social security ends in 1962"),
    ],
)
def test_phones_and_identifiers_are_found_whole_or_by_their_end(text, hit):
    assert found(text)[0] == hit


def test_an_mrn_finds_one_patient(people):
    assert found(people[3].mrn) == ["SMITHERS, Waylon: MRN"]
    assert found(f"{people[3].mrn[:4]} {people[3].mrn[4:]}") == ["SMITHERS, Waylon: MRN"]


def test_the_last_four_digits_of_an_mrn_find_the_patient(people):
    mrn = people[3].mrn
    assert f"SMITHERS, Waylon: MRN ends in {mrn[-4:]}" in found(mrn[-4:])
    assert f"SMITHERS, Waylon: MRN ends in {mrn[-6:]}" in found(f"{mrn[-6:-3]} {mrn[-3:]}")
    assert not [hit for hit in found(mrn[-3:]) if "MRN" in hit]


@pytest.mark.parametrize(
    "text", ["!!", "-", "''", "\\", "%", "_", "' | '", "q' & 'b", "x:*", "\u202e", "nobody", "🙂"]
)
def test_a_text_without_a_meaning_finds_nobody(text):
    assert found(text) == []


@pytest.mark.parametrize("text", ["smith", "maria", "1984", "smyth jane", ""])
def test_all_pages_together_are_the_same_list(text):
    whole = found(text)
    pages, cursor = [], ""
    while not pages or cursor:
        page = search(Patient.objects.all(), text, limit=1, after=cursor)
        pages += [f"{hit.patient.list_name}: {hit.reason}" for hit in page.hits]
        cursor = page.next_cursor
    assert pages == whole
    assert len(set(whole)) == len(whole)


def test_middle_and_preferred_names_are_found_with_a_reason():
    details = {
        "family_name": "Stone",
        "given_name": "Robert",
        "middle_name": "Lee",
        "preferred_name": "Bob",
    }
    register_patients([details], by=None, source="command")
    assert found("stone lee") == ["STONE, Robert Lee: Middle name Lee"]
    assert found("bob stone") == ["STONE, Robert Lee: Also called Bob"]


def test_the_page_says_why_and_offers_what_to_do_next(client, front_desk):
    client.force_login(front_desk)
    page = client.get("/patients/", {"q": "smyth john"}).content.decode()
    assert "Sounds alike: Smith" in page
    assert "Nobody is found for “smyth john” as it is written." in page
    assert (
        "Register “okafor ada” as a new patient"
        in client.get("/patients/", {"q": "okafor ada"}).content.decode()
    )


def test_the_api_finds_with_the_same_words(desk_api):
    for text in ("smyth john", "15 3 84", "020 7946 0018", "551x"):
        first, *_ = desk_api.get("/api/patients", {"q": text}).json()
        assert first["familyName"] == "Smith"


def test_the_api_gives_the_reason_of_each_hit_but_not_in_a_plain_list(desk_api, people):
    for text, why in [
        ("smith jo", "Name"),
        ("0018", "Phone ends in 0018"),
        ("smyth john", "Sounds alike: Smith"),
    ]:
        assert desk_api.get("/api/patients", {"q": text}).json()[0]["matchedOn"] == why
    for answer in (
        desk_api.get("/api/patients").json(),
        [desk_api.get(f"/api/patients/{people[0].pk}").json()],
    ):
        assert answer
        assert not any("matchedOn" in patient for patient in answer)


def test_the_link_to_the_next_page_goes_through_hits_of_all_kinds(desk_api):
    seen, address = [], "/api/patients?q=1984&limit=1"
    while address:
        answer = desk_api.get(address)
        seen += [patient["familyName"] for patient in answer.json()]
        address = answer.headers.get("Link", "").partition(">")[0].lstrip("<")
    assert seen == ["Gonzalez", "Smith", "van der Berg"]


@pytest.mark.parametrize(
    "cursor", ["x", "nothing.0190163d-8694-739b-aea5-966c26f8ad91", "name.1", "guess."]
)
def test_an_unknown_search_cursor_is_refused(desk_api, cursor):
    answer = desk_api.get("/api/patients", {"q": "smith", "cursor": cursor})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "bad-cursor")


def test_an_archived_patient_is_found_only_on_request(people, client, front_desk):
    archive_patient(people[0].pk, by=None, source="command")
    client.force_login(front_desk)
    assert "SMITH, John" not in client.get("/patients/", {"q": "smith"}).content.decode()
    assert (
        "SMITH, John" in client.get("/patients/", {"q": "smith", "status": "any"}).content.decode()
    )
    assert (
        "SMITH, John"
        in client.get("/patients/", {"q": "smyth john", "status": "archived"}).content.decode()
    )


def test_suggestions_are_links_with_birth_date_and_mrn(client, front_desk, people):
    client.force_login(front_desk)
    suggestions = client.get("/patients/suggest/", {"q": "smiht john"}).content.decode()
    for words in (
        "SMITH, John",
        "15-Mar-1984",
        people[0].mrn,
        "Sounds alike: Smith",
        f"/patients/{people[0].pk}/",
    ):
        assert words in suggestions
    assert "/patients/?q=smiht%20john" in suggestions
    assert "Register “smiht john”" in suggestions
    assert people[0].pk in AccessRecord.objects.get(action="list", user=front_desk).patient_ids


def test_suggestions_for_no_text_are_empty_and_record_no_access(client, front_desk):
    client.force_login(front_desk)
    assert client.get("/patients/suggest/", {"q": "  "}).content.strip() == b""
    assert not AccessRecord.objects.exists()


def test_a_user_who_may_not_register_is_not_offered_it(client, make_user):
    client.force_login(make_user("clinician"))
    assert "Register" not in client.get("/patients/suggest/", {"q": "okafor"}).content.decode()


def test_a_long_list_says_about_how_many_there_are(client, front_desk):
    client.force_login(front_desk)
    register_patients(
        [{"family_name": f"Person{number:03}"} for number in range(120)], by=None, source="command"
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE patients_patient")
    for text, count in [("person", 120), ("", 129)]:
        estimate = re.search(
            r"about (\d+) patients", client.get("/patients/", {"q": text}).content.decode()
        )
        assert estimate
        assert abs(int(estimate[1]) - count) < 20
    assert "about" not in client.get("/patients/", {"q": "smith"}).content.decode()


@pytest.mark.parametrize("text", ["p a", "a p"])
def test_two_initials_find_by_family_and_given_name(text):
    register_patients(
        [{"family_name": "Person", "given_name": "Ann", "middle_name": "Zed"}],
        by=None,
        source="command",
    )
    assert found(text)[0] == "PERSON, Ann Zed: Name"
    assert "PERSON, Ann Zed: Middle name Zed" in found(f"{text} z")


def test_names_of_other_scripts_are_found_with_and_without_slips():
    people = [("शर्मा", "राजेश"), ("ΠΑΠΑΔΟΠΟΥΛΟΣ", "Νίκος"), ("नमिन", "कपर")]
    details = [{"family_name": family, "given_name": given} for family, given in people]
    register_patients(details, by=None, source="command")
    for text in ("राजेश", "शर्मा राजेश", "ΠΑΠΑΔΟΠΟΥΛΟΣ", "नमिन कपर"):
        assert len(found(text)) == 1
    assert found("नमन कपर")[0].endswith("One letter off: नमिन")


@pytest.mark.parametrize(
    ("phone", "texts"),
    [
        ("617-555-0131 / 617-555-0132", ["617 555 0131", "+16175550132", "0132", "617-555-0132"]),
        ("617-555-0133 (mother)", ["6175550133", "0133"]),
        ("(617) 555-0134 x11", ["617 555 0134", "0134", "(617) 555-0134 x11"]),
        ("1-800-FLOWERS", ["8003569377", "1-800-flowers", "9377"]),
        ("\u202d617 555 0177\u202c", ["6175550177"]),
        ("\uff16\uff11\uff17 555 0178", ["6175550178", "\uff16\uff11\uff17 555 0178"]),
    ],
)
def test_a_phone_is_found_by_the_number_that_was_understood(phone, texts, settings):
    settings.DEFAULT_COUNTRY = "US"
    details = validate_details({"family_name": "Caller", "phone": phone})
    register_patients([details], by=None, source="command")
    for text in texts:
        assert found(text)[0].startswith("CALLER: Phone")


@pytest.mark.parametrize("text", ["aaron697 abbott774", "Abbott774, Aaron697", "aaron697 abb"])
def test_a_name_may_end_with_digits(text):
    """Data for tests has such names. Red when their digits are taken for a number beside a name."""
    details = {"family_name": "Abbott774", "given_name": "Aaron697"}
    [aaron] = register_patients([details], by=None, source="command")
    hits = search(Patient.objects.all(), text, limit=5).hits
    assert [hit.patient for hit in hits] == [aaron]
