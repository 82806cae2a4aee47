"""What lists show of patients is what their records say, and is recorded as read."""

from datetime import date

import pytest

from portal.patients.models import AccessRecord, Patient, Precision, Sex, Status
from portal.patients.selectors import find_patients
from portal.patients.shown_lists import find_shown_patients, recent_patients, shown_by_id
from portal.patients.templatetags.patients import born

pytestmark = pytest.mark.django_db


@pytest.fixture
def patients():
    days = {"date_of_birth": date(1984, 3, 15), "deceased_on": date(2020, 1, 1)}
    others = [
        {"prefix": "Dr.", "given_name": "Ann", "middle_name": "B.", "sex": Sex.FEMALE},
        {"given_name": "Carl", **days, "phone": "617 555 0101", "postal_code": "02134"},
        {"given_name": "Dora", **days, "date_of_birth_precision": Precision.YEAR},
        {"given_name": "Eve", "sex": Sex.OTHER},
    ]
    return [Patient.objects.create(family_name="Shownby", **fields) for fields in others]


def test_a_list_shows_what_the_record_says(patients, make_user):
    user = make_user("operator")
    shown = shown_by_id(user, [patient.pk for patient in patients], channel="portal")
    assert len(shown) == len(patients)
    for patient in patients:
        patient.refresh_from_db()
        row = shown[patient.pk]
        for name in (*row._fields, "pk", "list_name"):
            assert getattr(row, name) == getattr(patient, name)
        assert row.sex_name == patient.get_sex_display()
        assert row.status_name == patient.get_status_display()
        assert born(row) == born(patient)


@pytest.mark.parametrize("text", ["", "shownby", "shownby carl", "617 555 0101", "shonwby eve"])
def test_a_list_finds_whom_the_search_finds(patients, make_user, text):
    user = make_user("operator")
    page = find_shown_patients(user, channel="portal", text=text, limit=3)
    found = find_patients(user, channel="portal", text=text, limit=3)
    assert page.hits
    for shown, hit in zip(page.hits, found.hits, strict=True):
        assert (shown.patient.pk, shown.reason) == (hit.patient.pk, hit.reason)
        assert shown.is_approximate == hit.is_approximate
        assert shown.shows_reason == hit.shows_reason
    assert bool(page.next_cursor) == bool(found.next_cursor)
    [record, _] = AccessRecord.objects.order_by("pk")
    assert record.patient_ids == [hit.patient.pk for hit in page.hits]
    assert (record.user, record.action, record.door) == (user, "list", "portal")


def test_a_list_goes_on_after_its_cursor(patients, make_user):
    user, seen, after = make_user("operator"), [], None
    while after != "":
        page = find_shown_patients(user, channel="portal", after=after or "", limit=3)
        seen += [hit.patient.given_name for hit in page.hits]
        after = page.next_cursor
    assert seen == ["Ann", "Carl", "Dora", "Eve"]


def test_those_opened_last_come_newest_first_and_once(patients, client, make_user):
    user = make_user("operator")
    client.force_login(user)
    for place in (0, 1, 2, 0, 3):
        client.get(f"/patients/{patients[place].pk}/")
    Patient.objects.filter(pk=patients[3].pk).update(status=Status.ARCHIVED)
    opened = recent_patients(user, limit=3)
    assert [patient.given_name for patient in opened] == ["Eve", "Ann", "Dora"]
    record = AccessRecord.objects.order_by("pk").last()
    assert record.patient_ids == [patient.pk for patient in opened]


def test_a_list_of_nobody_leaves_no_record(make_user):
    assert find_shown_patients(make_user("operator"), channel="portal", text="zzz").hits == []
    assert not AccessRecord.objects.exists()
