"""Undo takes back the last change of a patient, and nothing that another user changed."""

from datetime import date

import pytest

from portal.patients.models import Patient
from portal.patients.services import archive_patient, change_patient, register_patient

pytestmark = pytest.mark.django_db(
    transaction=True
)  # Identifiers raise the version once in a transaction.
JANE = {
    "family_name": "Example",
    "phone": "555 0100",
    "identifiers": [{"system": "passport", "value": "P1"}],
}


@pytest.fixture
def patient():
    return register_patient(JANE, by=None, source="api")


def undo(desk, patient, version):
    return desk.post(f"/patients/{patient.pk}/undo/", {"version": version})


def identifiers_of(patient):
    return list(patient.identifiers.values_list("system", "value"))


def test_fields_and_identifiers_get_their_values_back_as_a_new_version(desk, patient):
    details = {
        "phone": "",
        "city": "Leeds",
        "identifiers": [{"system": "insurance", "value": "AB12"}],
    }
    change_patient(patient.pk, details, by=None, source="api")
    assert undo(desk, patient, 2).status_code == 302
    now = Patient.objects.get()
    assert (now.phone, now.city, now.version, identifiers_of(now)) == (
        "555 0100",
        "",
        3,
        [("passport", "P1")],
    )
    undo(desk, patient, 3)
    now = Patient.objects.get()
    assert (now.phone, now.city, identifiers_of(now)) == ("", "Leeds", [("insurance", "AB12")])


def test_an_identifier_comes_back_with_the_days_of_its_validity(desk, patient):
    days = {"valid_from": date(2020, 1, 1), "valid_to": date(2030, 1, 1)}
    patient.identifiers.update(**days)
    patient.refresh_from_db()
    change_patient(patient.pk, {"identifiers": []}, by=None, source="api")
    undo(desk, patient, patient.version + 1)
    assert patient.identifiers.values("valid_from", "valid_to").get() == days


def test_a_change_since_is_not_lost(desk, patient):
    change_patient(patient.pk, {"city": "Leeds"}, by=None, source="api")
    change_patient(patient.pk, {"phone": "555 0111"}, by=None, source="api")
    assert undo(desk, patient, 2).status_code == 412
    assert Patient.objects.values_list("city", "phone").get() == ("Leeds", "555 0111")


def test_an_identifier_that_went_to_another_patient_stays_there(desk, patient):
    change_patient(patient.pk, {"identifiers": []}, by=None, source="api")
    other = register_patient({**JANE, "family_name": "Other"}, by=None, source="api")
    assert undo(desk, patient, 2).status_code == 409
    assert (identifiers_of(patient), identifiers_of(other)) == ([], [("passport", "P1")])


@pytest.mark.parametrize(("version", "status"), [(1, 409), ("", 400), ("x", 400), (9, 412)])
def test_what_cannot_be_undone_is_refused(desk, patient, version, status):
    assert undo(desk, patient, version).status_code == status


def test_archiving_is_not_undone_by_this(desk, patient):
    archive_patient(patient.pk, by=None, source="api")
    assert undo(desk, patient, 2).status_code == 409
    assert "/undo/" not in desk.get(f"/patients/{patient.pk}/history/").content.decode()


def test_undo_needs_the_right_to_change_a_patient(client, make_user, patient):
    change_patient(patient.pk, {"city": "Leeds"}, by=None, source="api")
    client.force_login(make_user("auditor"))
    assert undo(client, patient, 2).status_code == 403
    assert "/undo/" not in client.get(f"/patients/{patient.pk}/history/").content.decode()


def test_a_form_of_one_patient_is_worth_nothing_at_anothers_address(desk, patient):
    other = register_patient({"family_name": "Other"}, by=None, source="api")
    opened = desk.get(f"/patients/{patient.pk}/edit/").context["form"]["opened"].value()
    sent = {"opened": opened, "family_name": "Changed", "sex": "unknown", "birth_unknown": "on"}
    assert desk.post(f"/patients/{other.pk}/edit/", sent).status_code == 400
    assert set(Patient.objects.values_list("family_name", flat=True)) == {"Example", "Other"}
