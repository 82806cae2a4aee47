"""An edit that makes a record look like another asks once for an override reason; others do not."""

import pytest

from portal.duplicates.services import dismiss_pair
from portal.patients.models import AccessRecord, Patient, PatientEvent
from portal.patients.services import change_patient, register_patient
from portal.patients.validation import validate_details
from tests.portal.patients.identifier_rows import NO_ROWS, identifier_rows

pytestmark = pytest.mark.django_db
JANE = {
    "family_name": "Smith",
    "given_name": "Jane",
    "date_of_birth": "1984-03-15",
    "sex": "female",
}
BORN = {"date_of_birth_0": "15", "date_of_birth_1": "3", "date_of_birth_2": "1984"}
PASSPORT = {"identifiers": [{"system": "passport", "value": "P1"}]}


def register(**details):
    cleaned = validate_details({**JANE, **details})
    return register_patient(cleaned, by=None, source="portal", override_reason="twin")


class Page:
    """The form of one patient, opened once, and sent as often as wanted."""

    def __init__(self, client, patient):
        self.client, self.patient = client, patient
        self.address = f"/patients/{patient.pk}/edit/"
        answer = client.get(self.address)
        born = patient.date_of_birth
        self.sent = {
            **NO_ROWS,
            "opened": answer.context["form"]["opened"].value(),
            "shown": answer.context["panel"].shown,
            "family_name": patient.family_name,
            "given_name": patient.given_name,
            "sex": patient.sex,
            "date_of_birth_0": str(born.day),
            "date_of_birth_1": str(born.month),
            "date_of_birth_2": str(born.year),
            "phone": patient.phone,
        }

    def ask(self, **typed):
        """Returns what the page shows while the user types."""
        self.sent |= typed
        answer = self.client.post(self.address.replace("edit", "understood"), self.sent)
        self.sent["shown"] = answer.context["panel"].shown
        return answer

    def save(self, **typed):
        self.sent |= typed
        answer = self.client.post(self.address, self.sent)
        if answer.status_code == 409:
            self.sent["shown"] = answer.context["panel"].shown
        return answer


@pytest.fixture
def opened(client, front_desk):
    client.force_login(front_desk)
    return lambda patient: Page(client, patient)


def errors(answer):
    return [*answer.context["form"].errors]


def test_a_name_of_another_patient_needs_a_reason_which_the_log_keeps(opened):
    jane, joan = register(), register(given_name="Joan", date_of_birth="1990-01-01")
    page = opened(joan)
    first = page.save(given_name="Jane", **BORN)
    assert (first.status_code, errors(first)) == (409, ["override_reason"])
    assert [patient.pk for patient, _ in first.context["panel"].matches] == [jane.pk]
    assert page.save(override_reason="papers").status_code == 302
    event = PatientEvent.objects.get(pgh_obj=joan, version=2)
    assert (event.pgh_context["duplicate_reason"], event.pgh_context["similar"]) == (
        "Papers checked: another person",
        [str(jane.pk)],
    )
    history = page.client.get(f"/patients/{joan.pk}/history/").content.decode()
    assert "Another person than the one who was here: Papers checked" in history


def test_an_address_needs_no_reason_beside_an_exact_duplicate(opened):
    register()
    page = opened(register())
    assert not page.ask(city="Leeds").context["panel"].matches
    assert page.save(city="Leeds").status_code == 302
    assert not AccessRecord.objects.filter(action="similar").exists()


def test_a_patient_who_was_as_similar_before_needs_no_reason(opened):
    register()
    page = opened(register(given_name="Joan"))
    assert page.save(given_name="Josephine", phone="617 555 0100").status_code == 302


def test_a_phone_that_a_family_shares_is_shown_and_asks_nothing(opened):
    register(
        family_name="Jones", given_name="Ann", date_of_birth="1950-01-01", phone="617 555 0100"
    )
    page = opened(register())
    panel = page.ask(phone="(617) 5550100").context["panel"]
    assert ([match.grade for _, match in panel.matches], panel.needs_override_reason) == (
        ["possible"],
        False,
    )
    assert page.save().status_code == 302


def test_a_reason_given_about_other_patients_than_those_shown_is_dropped(opened):
    jane = register()
    page = opened(register(given_name="Joan", date_of_birth="1990-01-01"))
    answer = page.save(given_name="Jane", override_reason="papers", **BORN)
    assert (answer.status_code, errors(answer)) == (409, ["override_reason"])
    assert answer.context["form"]["override_reason"].value() is None
    assert Patient.objects.filter(given_name="Jane").get() == jane


def test_an_identifier_of_another_patient_is_refused_for_any_reason(opened):
    holder = register(family_name="Holder", given_name="Ann", **PASSPORT)
    page = opened(register())
    rows = identifier_rows({"system": "passport", "value": "p-1", "valid_from": ""})
    answer = page.save(override_reason="papers", **rows)
    assert (answer.status_code, errors(answer)) == (409, ["identifiers-0-value"])
    assert [patient.pk for patient, _ in answer.context["panel"].matches] == [holder.pk]
    assert answer.context["panel"].has_taken_identifier


def test_of_two_identifiers_the_error_is_beside_the_taken_one(opened):
    register(family_name="Holder", given_name="Ann", **PASSPORT)
    page = opened(register())
    insurance = {"system": "insurance", "value": "AB12"}
    passport = {"system": "passport", "value": "p-1"}
    answer = page.save(**identifier_rows(insurance, passport))
    assert (answer.status_code, errors(answer)) == (409, ["identifiers-1-value"])


def test_the_panel_writes_one_access_record_and_then_stays_still(opened):
    register()
    page = opened(register(given_name="Joan", date_of_birth="1990-01-01"))
    assert page.ask(**BORN).context["panel"].needs_override_reason
    again = page.ask(city="Leeds")
    assert again["HX-Reswap"] == "none"
    assert AccessRecord.objects.filter(action="similar").count() == 1


def test_a_patient_of_a_dismissed_pair_needs_no_reason(opened):
    jane, joan = register(), register(given_name="Joan", date_of_birth="1990-01-01")
    dismiss_pair(joan.pk, jane.pk, by=None)
    page = opened(joan)
    assert not page.ask(given_name="Jane", **BORN).context["panel"].matches
    assert page.save().status_code == 302


def test_a_program_that_changes_a_name_needs_no_reason(opened):
    register()
    joan = register(given_name="Joan")
    assert change_patient(joan.pk, {"given_name": "Jane"}, by=None, source="api").version == 2
