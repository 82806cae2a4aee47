"""Registrations do not race and no change is lost; red without advisory lock or row lock."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from portal.errors import Conflict, StaleVersion
from portal.patients import services
from portal.patients.models import Patient, PatientEvent
from portal.patients.validation import validate_details

pytestmark = pytest.mark.django_db(transaction=True)
JANE = validate_details(
    {"family_name": "Example", "given_name": "Jane", "date_of_birth": "1984-03-15"}
)


def at_once(count, work):
    def run(number):
        try:
            return work(number)
        except (Conflict, StaleVersion) as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_20_desks_that_register_one_person_make_one_patient():
    results = at_once(20, lambda _: services.register_patient(JANE, by=None, source="api"))
    assert sum(isinstance(result, Patient) for result in results) == 1
    assert Patient.objects.count() == PatientEvent.objects.count() == 1


def test_20_tries_with_one_key_all_get_the_same_patient():
    results = at_once(
        20, lambda _: services.register_patient(JANE, by=None, source="api", idempotency_key="k")
    )
    assert len({result.pk for result in results}) == 1
    assert Patient.objects.count() == 1


def test_of_10_changes_to_one_version_one_wins():
    patient = services.register_patient(JANE, by=None, source="api")

    def change(number):
        changes = {"city": f"City {number}"}
        return services.change_patient(
            patient.pk, changes, by=None, source="api", expected_version=1
        )

    results = at_once(10, change)
    assert sum(isinstance(result, Patient) for result in results) == 1
    assert Patient.objects.get().version == 2


def test_versions_have_no_gaps_and_events_stand_in_their_order():
    patient = services.register_patient(JANE, by=None, source="api")
    at_once(
        10,
        lambda n: services.change_patient(patient.pk, {"city": f"City {n}"}, by=None, source="api"),
    )
    versions = PatientEvent.objects.order_by("pgh_id").values_list("version", flat=True)
    assert list(versions) == list(range(1, 12))
