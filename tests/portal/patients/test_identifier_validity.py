"""The days of an identifier's validity are typed, stored, shown, in the history, and undone."""

from datetime import date

import pytest
from django.utils import timezone

from portal.errors import InvalidInput
from portal.patients.models import Patient
from portal.patients.services import change_patient, change_patients, register_patient
from portal.patients.validation import validate_details
from tests.portal.patients.identifier_rows import identifier_rows

pytestmark = pytest.mark.django_db(
    transaction=True
)  # Identifiers raise the version once in a transaction.
DAYS = {"valid_from": date(2020, 1, 1), "valid_to": date(2029, 12, 31)}
CARD = {"system": "insurance", "value": "AB12"}
JANE = {
    "family_name": "Example",
    "given_name": "Jane",
    "sex": "female",
    "identifiers": [{**CARD, **DAYS}],
}
FORM = {"family_name": "Example", "given_name": "Jane", "sex": "female", "birth_unknown": "on"}
ROW = {"system": "insurance", "value": "AB12"}
SHOWN = {**ROW, "valid_from": "01-Jan-2020", "valid_to": "31-Dec-2029"}


@pytest.fixture
def patient():
    return register_patient(JANE, by=None, source="api")


@pytest.fixture
def desk(client, front_desk):
    client.force_login(front_desk)
    return client


def days(patient):
    return patient.identifiers.values("valid_from", "valid_to").get()


def save(desk, patient, *rows):
    address = f"/patients/{patient.pk}/edit/"
    opened = desk.get(address).context["form"]["opened"].value()
    return desk.post(address, {**FORM, "opened": opened, **identifier_rows(*rows)})


def test_days_are_typed_in_many_spellings_and_shown_old_and_new(desk, patient):
    row = {**ROW, "valid_from": "1/1/20", "valid_to": "31 dec 31"}
    assert save(desk, patient, row).status_code == 302
    assert days(patient) == {**DAYS, "valid_to": date(2031, 12, 31)}
    assert "31-Dec-2031" in desk.get(f"/patients/{patient.pk}/identifiers/").content.decode()
    change = desk.get(f"/patients/{patient.pk}/history/").context["changes"][0]
    assert change.fields == [
        (
            "Insurance",
            "AB12 (valid 01-Jan-2020 to 31-Dec-2029)",
            "AB12 (valid 01-Jan-2020 to 31-Dec-2031)",
        )
    ]
    was = desk.get(f"/patients/{patient.pk}/history/as-it-was/?version=1").context["rows"]
    assert [row.then for row in was if row.differs] == ["AB12 (valid 01-Jan-2020 to 31-Dec-2029)"]
    desk.post(f"/patients/{patient.pk}/undo/", {"version": 2})
    assert (days(patient), Patient.objects.get().version) == (DAYS, 3)


def test_a_form_saved_as_it_was_opened_changes_nothing(desk, patient):
    assert save(desk, patient, SHOWN).status_code == 302
    assert Patient.objects.get().version == 1


def test_a_day_typed_in_another_spelling_is_no_change(desk, patient):
    assert save(desk, patient, {**SHOWN, "valid_to": "2029-12-31"}).status_code == 302
    assert Patient.objects.get().version == 1


def test_an_identifier_is_added_below_one_that_stays_as_it_is(desk, patient):
    save(desk, patient, SHOWN, {"system": "passport", "value": "P1"})
    stored = patient.identifiers.order_by("system").values_list("system", "valid_from")
    assert [*stored] == [("insurance", DAYS["valid_from"]), ("passport", None)]


def test_a_form_without_its_count_of_rows_is_refused_and_saves_nothing(desk, patient):
    address = f"/patients/{patient.pk}/edit/"
    opened = desk.get(address).context["form"]["opened"].value()
    answer = desk.post(address, {**FORM, "opened": opened, "city": "York"})
    assert answer.status_code == 422
    assert "This form is not complete." in answer.content.decode()
    assert (Patient.objects.get().version, patient.identifiers.count()) == (1, 1)


@pytest.mark.parametrize(
    ("sent", "field", "words"),
    [
        (
            {"valid_from": "1/1/2021", "valid_to": "1/1/2020"},
            "valid_to",
            "Valid to is before valid from.",
        ),
        ({"valid_from": "30 feb 2021"}, "valid_from", "There is no such date."),
        ({"valid_to": "soon"}, "valid_to", "Enter a date such as"),
        ({"value": "", "valid_to": "1/1/2020"}, "value", "Enter the identifier"),
        ({"system": ""}, "system", "Choose the kind"),
    ],
)
def test_an_error_stands_beside_its_box_and_the_text_stays(desk, patient, sent, field, words):
    answer = save(desk, patient, {**ROW, **sent})
    form = answer.context["form"]
    assert (answer.status_code, [*form.errors]) == (422, [f"identifiers-0-{field}"])
    assert words in str(form.errors)
    assert f'<a href="#id_identifiers-0-{field}">' in answer.content.decode()
    assert all(form.identifiers[0][name].value() == text for name, text in sent.items())


def test_registering_takes_the_days_too(desk):
    rows = identifier_rows({**ROW, "valid_to": "2031-06-30"})
    assert desk.post("/patients/new/", {**FORM, **rows, "token": "a" * 32}).status_code == 302
    assert days(Patient.objects.get()) == {"valid_from": None, "valid_to": date(2031, 6, 30)}


def test_days_that_are_not_named_stay_and_days_that_are_named_empty_go(patient):
    change_patient(patient.pk, {"identifiers": [CARD]}, by=None, source="import")
    assert (days(patient), Patient.objects.get().version) == (DAYS, 1)
    change_patient(
        patient.pk, {"identifiers": [{**CARD, "valid_to": None}]}, by=None, source="import"
    )
    assert (days(patient), Patient.objects.get().version) == ({**DAYS, "valid_to": None}, 2)


def test_an_end_before_the_stored_beginning_is_refused_in_words(patient):
    early = {**CARD, "valid_to": date(2019, 1, 1)}
    with pytest.raises(InvalidInput) as caught:
        change_patient(patient.pk, {"identifiers": [early]}, by=None, source="api")
    assert [problem.code for problem in caught.value.errors] == ["ends-before-start"]


def test_many_are_changed_by_as_many_statements_as_one(patient, django_assert_max_num_queries):
    passport = {"system": "passport", "value": "P1"}
    details = {"family_name": "Other", "identifiers": [passport]}
    other = register_patient(details, by=None, source="api")
    ended = {"valid_to": date(2025, 1, 1)}
    many = [
        (patient.pk, {"identifiers": [{**CARD, **ended}]}),
        (other.pk, {"identifiers": [{**passport, **ended}]}),
    ]
    with django_assert_max_num_queries(8):
        assert change_patients(many, by=None, source="import") == 2
    assert {
        identifier.valid_to for identifier in patient.identifiers.all() | other.identifiers.all()
    } == {date(2025, 1, 1)}


def test_the_api_shows_and_takes_the_days(desk_api, patient):
    address = f"/api/patients/{patient.pk}"
    card = {**CARD, "validFrom": "2020-01-01", "validTo": "2029-12-31"}
    assert desk_api.get(address).json()["identifiers"] == [card]
    answer = desk_api.patch(address, {"identifiers": [{**card, "validTo": None}]}, format="json")
    assert answer.json()["identifiers"] == [{**card, "validTo": None}]
    wrong = desk_api.patch(
        address, {"identifiers": [{**card, "validTo": "2019-01-01"}]}, format="json"
    )
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (400, "#/identifiers")
    old_client = desk_api.put(address, {"identifiers": [CARD]}, format="json")
    assert old_client.json()["identifiers"] == [{**card, "validTo": None}]


def test_two_digits_of_a_year_are_the_next_thirty_years_or_the_past():
    this = timezone.localdate().year
    read = validate_details(
        {"identifiers": [{**CARD, "valid_to": f"1/1/{(this + 30) % 100:02}"}]}, partial=True
    )
    assert read["identifiers"][0]["valid_to"] == date(this + 30, 1, 1)
    read = validate_details(
        {"identifiers": [{**CARD, "valid_to": f"1/1/{(this + 31) % 100:02}"}]}, partial=True
    )
    assert read["identifiers"][0]["valid_to"] == date(this - 69, 1, 1)
