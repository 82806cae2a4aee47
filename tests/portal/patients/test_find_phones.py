"""A phone is found, and makes two records alike, however it and its neighbours are written."""

from datetime import date

import pytest

from portal.patients.matching.lookup import find_matches
from portal.patients.models import Patient
from portal.patients.search.engine import search
from portal.patients.services import register_patients
from portal.patients.validation import validate_details

pytestmark = pytest.mark.django_db
TWO = "617-555-0131 / 617-555-0132"


def register(phone: str, **more) -> Patient:
    details = {"family_name": "Smith", "given_name": "Jane", "phone": phone} | more
    return register_patients([validate_details(details)], by=None, source="command")[0]


@pytest.mark.parametrize(
    ("stored", "typed"),
    [
        (TWO, "6175550131"),
        (TWO, "617 555 0132"),
        (TWO, "0132"),
        (TWO, TWO),
        ("(617) 555-0134 x11", "5550134"),
        ("617 555 0134x11", "0134"),
        ("617 555 0140 extension 99", "0140"),
        ("617 555 0140 p. 3", "6175550140"),
        ("1-800-FLOWERS", "8003569377"),
        ("1-800-356-9377", "1 800 flowers"),
        ("+1 (617) 555-0135", "+1 (0) 617 555 0135"),
        ("+44 (0)20 7946 0018", "0044 20 7946 0018"),
        ("0044 20 7946 0019", "2079460019"),
        ("６１７５５５０１３６", "617 555 0136"),
        ("٦١٧٥٥٥٠١٣٧", "6175550137"),
        ("617.555.0138 (mobile)", "617.555.0138 (mobile)"),
        ("617 555 0139 ask for Ann", "617 555 0139"),
        ("617 555 0141, 617 555 0142", "6175550142"),
        ("tel:+1-617-555-0145", "617 555 0145"),
        ("home 617 555 0146 work 617 555 0147", "6175550147"),
        ("617 555 0148 617 555 0149", "6175550149"),
        ("617 555 0153 or 555 0154", "555 0154"),
        ("617 555 0162 / 0163", "6175550163"),
        ("617 555 0164/65", "6175550165"),
        ("617-555-0166 (H) 617-555-0167 (C)", "0167"),
        ("+1-617-555-0168;ext=12", "6175550168"),
        ("fax 617 555 0169", "0169"),
        ("030/1234567", "0301234567"),
        ("+16175550160", "617,555,0160"),
    ],
)
def test_a_phone_is_found_by_either_number(stored, typed):
    register(stored)
    [hit] = search(Patient.objects.all(), typed, limit=5).hits
    assert hit.reason.startswith("Phone")


@pytest.mark.parametrize("phone", ["617 555 0140", "0140", "617 555 0149 x40"])
def test_an_extension_and_another_number_find_nobody(phone):
    register("617 555 0149 x0140")
    assert search(Patient.objects.all(), "0140", limit=5).hits == []
    assert register(phone).second_phone_tail == ""


@pytest.mark.parametrize("phone", ["617 555 0132", "+1 617 555 0132, 617 555 0199"])
def test_a_second_number_makes_two_records_alike(phone):
    known = register(TWO)
    details = validate_details({"family_name": "Smyth", "given_name": "Jane", "phone": phone})
    [match] = find_matches(Patient.objects.all(), details)
    assert (match.patient_id, match.reasons[-1]) == (known.pk, "same phone")


@pytest.mark.parametrize("number", ["+", "+x"])
def test_a_number_that_sql_wrote_badly_stops_no_look_for_others(number):
    known = register("617 555 0132")
    Patient.objects.filter(pk=known.pk).update(phone_e164=number)
    details = validate_details({"family_name": "Smyth", "given_name": "Jane"})
    find_matches(Patient.objects.all(), details | {"phone": number, "phone_e164": number})


def test_a_new_second_number_finds_the_record_of_one(desk_api):
    known = register("617 555 0132", date_of_birth=date(1984, 3, 15))
    details = validate_details({"family_name": "Smyth", "given_name": "Jane", "phone": TWO})
    assert [match.patient_id for match in find_matches(Patient.objects.all(), details)] == [
        known.pk
    ]
