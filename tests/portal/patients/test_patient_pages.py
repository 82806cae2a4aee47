"""The pages of a patient: rights, access records, and what an edit saves."""

import re
from datetime import date

import pytest
from django.core import signing

from portal.patients.fields import ENTERED_FIELDS, Kind
from portal.patients.models import AccessRecord, Patient
from portal.patients.services import change_patient, register_patient
from tests.portal.patients.identifier_rows import NO_ROWS, identifier_rows

pytestmark = pytest.mark.django_db
JANE = {
    "family_name": "Example",
    "given_name": "Jane <b>",
    "prefix": "Mrs.",
    "sex": "female",
    "phone": "555 0100",
}


@pytest.fixture
def patient():
    return register_patient(JANE, by=None, source="api")


@pytest.mark.parametrize(
    ("role", "shown", "hidden"),
    [
        ("front desk", ["Edit", "Archive", "History", "Billing"], []),
        ("clinician", ["Edit", "History"], ["Archive</button>"]),
        ("auditor", ["History"], ["/edit/", "Archive</button>"]),
    ],
)
def test_a_role_is_offered_what_it_may_do(client, make_user, patient, role, shown, hidden):
    client.force_login(make_user(role))
    page = client.get(f"/patients/{patient.pk}/").content.decode()
    assert [words for words in shown if words not in page] == []
    assert [words for words in hidden if words in page] == []


def test_what_a_page_does_not_offer_is_refused_too(client, make_user, patient):
    client.force_login(make_user("auditor"))
    for address in ("/patients/new/", f"/patients/{patient.pk}/edit/"):
        assert client.get(address).status_code == 403
    assert client.post(f"/patients/{patient.pk}/archive/").status_code == 403


def test_a_name_is_shown_as_text_in_the_form_of_the_clinic(client, front_desk, patient):
    client.force_login(front_desk)
    page = client.get(f"/patients/{patient.pk}/").content.decode()
    assert "EXAMPLE, Jane &lt;b&gt; (Mrs)" in page
    assert "Not recorded" in page


def test_every_entered_column_is_in_the_form_and_on_the_overview(client, front_desk):
    """Planted: a column of the table of fields that a template does not draw."""
    typed_elsewhere = {"date_of_birth_precision", "registered_on"}
    columns = [field for field in ENTERED_FIELDS if field.name not in typed_elsewhere]
    details = {field.name: f"x {field.name}" for field in columns if field.kind == Kind.TEXT}
    patient = register_patient(details, by=None, source="api")
    client.force_login(front_desk)
    form_page = client.get("/patients/new/").content.decode()
    names = {*re.findall(r'name="(\w+)"', form_page)}
    inputs = [{field.name, f"{field.name}_0"} for field in columns]  # The latter is a date's.
    assert [pair for pair in inputs if not pair & names] == []
    overview = client.get(f"/patients/{patient.pk}/").content.decode()
    assert [text for text in details.values() if text not in overview] == []


def test_opening_writes_an_access_record_and_polling_tags_writes_none(client, front_desk, patient):
    client.force_login(front_desk)
    client.get(f"/patients/{patient.pk}/")
    client.get(f"/patients/{patient.pk}/tags/")
    client.get(f"/patients/{patient.pk}/billing/", headers={"HX-Request": "true"})
    assert [(record.action, record.patient_ids) for record in AccessRecord.objects.all()] == [
        ("open", [patient.pk])
    ]


def test_an_edit_writes_only_what_was_changed_in_the_form(client, front_desk, patient):
    """Another user's change of another field is not lost, though this form shows the old one."""
    client.force_login(front_desk)
    form = client.get(f"/patients/{patient.pk}/edit/").context["form"]
    sent = {
        **NO_ROWS,
        "opened": form["opened"].value(),
        "family_name": "Example",
        "given_name": "Jane <b>",
        "prefix": "Mrs.",
        "sex": "female",
        "phone": "555 0111",
        "birth_unknown": "on",
    }
    answer = client.post(f"/patients/{patient.pk}/edit/", sent)
    assert answer.status_code == 302
    assert Patient.objects.values_list("phone", "version").get() == ("555 0111", 2)

    change_patient(patient.pk, {"city": "Boston"}, by=None, source="api")
    answer = client.post(f"/patients/{patient.pk}/edit/", {**sent, "phone": "555 0122"})
    assert answer.status_code == 409
    assert Patient.objects.values_list("city", "phone").get() == ("Boston", "555 0111")


def test_an_age_is_saved_though_the_birth_date_stays_ticked_as_unknown(client, front_desk, patient):
    client.force_login(front_desk)
    form = client.get(f"/patients/{patient.pk}/edit/").context["form"]
    sent = {
        **NO_ROWS,
        "opened": form["opened"].value(),
        "family_name": "Example",
        "sex": "female",
        "birth_unknown": "on",
        "age_about": "42",
    }
    assert client.post(f"/patients/{patient.pk}/edit/", sent).status_code == 302
    assert Patient.objects.get().date_of_birth_precision == "year"


def test_a_forged_form_is_refused(client, front_desk, patient):
    client.force_login(front_desk)
    forged = signing.dumps({"version": 1, "typed": {}}, salt="something else")
    assert client.post(f"/patients/{patient.pk}/edit/", {"opened": forged}).status_code == 400


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("15 mar 84", {"date_of_birth": ["15", "3", "1984"]}),
        ("mar 1984", {"date_of_birth": ["", "3", "1984"]}),
        ("1984", {"date_of_birth": ["", "", "1984"]}),
        ("020 7946 0000", {"phone": "020 7946 0000"}),
        ("O'Neill, Ann", {"family_name": "O'Neill", "given_name": "Ann"}),
        (
            "smith jane 15/3/84",
            {"family_name": "Smith", "given_name": "Jane", "date_of_birth": ["15", "3", "1984"]},
        ),
        ("smith 15 3 84", {"family_name": "Smith", "date_of_birth": ["15", "3", "1984"]}),
        ("617 555 0100 smith", {"family_name": "Smith", "phone": "617 555 0100"}),
        ("", {"family_name": None}),
    ],
)
def test_a_search_without_hits_fills_the_fields_of_the_form(client, front_desk, text, fields):
    client.force_login(front_desk)
    form = client.get("/patients/new/", {"text": text}).context["form"]
    assert {name: form[name].value() for name in fields} == fields


def test_a_searched_number_fills_the_first_row_of_identifiers(client, front_desk):
    client.force_login(front_desk)
    form = client.get("/patients/new/", {"text": "p1234567"}).context["form"]
    assert [row["value"].value() for row in form.identifiers] == ["p1234567", None]


def test_two_clerks_who_edit_one_patient_see_both_versions(client, front_desk, patient):
    """The form has each change of only one clerk; where both changed a field, it has ours."""
    client.force_login(front_desk)
    address = f"/patients/{patient.pk}/edit/"
    opened = client.get(address).context["form"]["opened"].value()
    theirs = {"phone": "555 0133", "city": "Boston", "date_of_birth": date(1984, 3, 15)}
    passport = {"system": "passport", "value": "P1"}
    change_patient(patient.pk, {**theirs, "identifiers": [passport]}, by=None, source="api")
    sent = {
        **identifier_rows({"system": "insurance", "value": "AB 12", "valid_to": "1/2/2031"}),
        "opened": opened,
        "family_name": "Example",
        "given_name": "Jane <b>",
        "prefix": "Mrs.",
        "sex": "female",
        "phone": " 555 0144 ",
        "birth_unknown": "on",
    }
    answer = client.post(address, sent)
    rows = {row.pop("label"): row for row in answer.context["conflict"]}
    assert [*rows] == [
        "Date of birth",
        "Date of birth not known",
        "Phone",
        "Town or city",
        "Identifiers",
    ]
    assert [name for name, row in rows.items() if row["is_contested"]] == ["Phone", "Identifiers"]
    assert rows["Date of birth"]["theirs"] == "15 March 1984"
    assert rows["Identifiers"]["ours"] == "insurance AB 12 1/2/2031"
    form = answer.context["form"]
    assert (form["city"].value(), form["phone"].value()) == ("Boston", " 555 0144 ")
    assert form["birth_unknown"].value() is False
    assert [row["value"].value() for row in form.identifiers] == ["AB 12", None]

    again = {**sent, "opened": form["opened"].value(), "city": "Boston"}
    again |= {"date_of_birth_0": "15", "date_of_birth_1": "3", "date_of_birth_2": "1984"}
    del again["birth_unknown"]
    assert client.post(address, again).status_code == 302
    assert Patient.objects.values_list("city", "phone").get() == ("Boston", "555 0144")
    assert patient.identifiers.get().system == "insurance"


def test_a_search_that_finds_nobody_says_how_a_date_was_read(client, front_desk, settings):
    client.force_login(front_desk)
    settings.DATE_ORDER = "MDY"
    page = client.get("/patients/?q=3/4/1984").content.decode()
    assert "taken for a date of birth: 04-Mar-1984" in page
    assert "3 15 1984" in page
    settings.DATE_ORDER = "DMY"
    page = client.get("/patients/?q=3/4/1984").content.decode()
    assert "taken for a date of birth: 03-Apr-1984" in page
    assert "sounds alike" not in page
    assert "sounds alike" in client.get("/patients/?q=zzyx").content.decode()


def test_the_example_of_a_date_is_in_the_order_of_its_boxes(client, front_desk, settings):
    client.force_login(front_desk)
    for order, example in [("MDY", "3 15 1984"), ("DMY", "15 3 1984")]:
        settings.DATE_ORDER = order
        assert example in client.get("/patients/new/").content.decode()


def test_patients_of_one_name_are_told_apart_where_they_were_opened(client, front_desk, patient):
    twin = register_patient(JANE, by=None, source="api", override_reason="twin")
    client.force_login(front_desk)
    client.get(f"/patients/{patient.pk}/")
    assert f", {patient.mrn}</a>" not in client.get("/patients/").content.decode()
    client.get(f"/patients/{twin.pk}/")
    page = client.get("/patients/").content.decode()
    assert f", {patient.mrn}</a>" in page
    assert f", {twin.mrn}</a>" in page
