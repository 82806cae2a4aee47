"""The Access tab shows auditors who looked at a record, newest first, by user and period."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal.patients.history.access_log import access_records_of
from portal.patients.models import AccessRecord
from portal.patients.services import register_patient

pytestmark = pytest.mark.django_db


@pytest.fixture
def patient():
    return register_patient({"family_name": "Example"}, by=None, source="api")


@pytest.fixture
def auditor(make_user):
    return make_user("auditor", full_name="Ann Auditor")


def write_access_record(patient, by, action="open", *, days_ago=0):
    at = timezone.now() - timedelta(days=days_ago)
    AccessRecord.objects.create(
        user=by, patient_ids=[patient.pk], action=action, door="portal", at=at, request_id="r-1"
    )


def shown(answer):
    records = answer.context["page"].rows
    return [(record.user and record.user.email, record.action) for record in records]


def test_auditors_see_the_access_tab_and_the_front_desk_does_not(
    client, front_desk, auditor, patient
):
    address = f"/patients/{patient.pk}/access/"
    client.force_login(front_desk)
    assert client.get(address).status_code == 403
    assert "/access/" not in client.get(f"/patients/{patient.pk}/").content.decode()
    client.force_login(auditor)
    assert "Looked at who looked" in client.get(address).content.decode()


def test_access_records_are_filtered_by_user_period_and_lists(client, front_desk, auditor, patient):
    other = register_patient({"family_name": "Other"}, by=None, source="api")
    write_access_record(other, front_desk)
    write_access_record(patient, front_desk, days_ago=8)
    write_access_record(patient, front_desk, "list")
    write_access_record(patient, None, "history", days_ago=2)
    client.force_login(auditor)
    address = f"/patients/{patient.pk}/access/"
    mine = (auditor.email, "access")
    assert shown(client.get(address)) == [mine, (None, "history"), (front_desk.email, "open")]
    assert shown(client.get(address + "?period=7")) == [mine, mine, (None, "history")]
    assert shown(client.get(address + f"?person={front_desk.pk}")) == [(front_desk.email, "open")]
    assert shown(client.get(address + f"?person={front_desk.pk}&lists=1&period=1")) == [
        (front_desk.email, "list")
    ]


def test_many_access_records_come_in_pages_that_keep_the_filters(
    client, front_desk, auditor, patient
):
    for _ in range(60):
        write_access_record(patient, front_desk)
    client.force_login(auditor)
    first = client.get(f"/patients/{patient.pk}/access/?person={front_desk.pk}")
    second = client.get(f"/patients/{patient.pk}/access/?{first.context['older_query']}")
    assert (len(shown(first)), len(shown(second))) == (50, 10)
    assert second.context["older_query"] == ""


def test_a_patient_among_many_is_found_along_the_index(patient):
    """Planted: in the order of the key, PostgreSQL walks through all access records."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO patients_accessrecord (action, door, request_id, patient_ids)"
            " SELECT 'open', 'api', '', ARRAY[gen_random_uuid()] FROM generate_series(1, 30000)"
        )
        cursor.execute("ANALYZE patients_accessrecord")
        with CaptureQueriesContext(connection) as queries:
            assert access_records_of(None, patient).rows == []
        cursor.execute(f"EXPLAIN {queries[0]['sql']}")
        assert "access_by_opened_patient" in str(cursor.fetchall())
