"""An Idempotency-Key means one registration and one answer for a day, also at the same time."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event

import pytest
from django.db import connection, transaction
from django.utils import timezone

from portal.patients import idempotency, services
from portal.patients.models import IdempotencyKey, Patient, PatientEvent
from portal.patients.tasks import forget_keys
from portal.patients.validation import validate_details

JANE = {"familyName": "Example", "givenName": "Jane", "dateOfBirth": "1984-03-15"}
DETAILS = validate_details(
    {"family_name": "Example", "given_name": "Jane", "date_of_birth": "1984-03-15"}
)


def post(api, body=JANE, key="k1"):
    return api.post("/api/patients", body, format="json", HTTP_IDEMPOTENCY_KEY=key)


@pytest.mark.django_db
def test_the_same_key_makes_one_patient(desk_api):
    first, second = post(desk_api), post(desk_api)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert PatientEvent.objects.count() == 1


@pytest.mark.django_db
def test_the_first_answer_comes_again_after_a_change_of_the_patient(desk_api):
    first = post(desk_api)
    desk_api.patch(first["Location"], {"city": "Leeds"}, format="json")
    again = post(desk_api)
    assert (again.json(), again["ETag"], again["Location"]) == (
        first.json(),
        '"1"',
        first["Location"],
    )
    assert Patient.objects.get().city == "Leeds"


@pytest.mark.django_db
def test_the_same_key_with_another_body_is_refused(desk_api):
    post(desk_api)
    assert post(desk_api, {"familyName": "Other"}).status_code == 422
    assert Patient.objects.count() == 1


@pytest.mark.django_db
def test_a_refused_registration_does_not_use_up_its_key(desk_api):
    assert post(desk_api, {"familyName": "Example", "dateOfBirth": "tomorrow"}).status_code == 400
    assert post(desk_api).status_code == 201


@pytest.mark.django_db
def test_keys_of_two_people_do_not_meet(desk_api, api_as, make_user):
    operator = api_as(make_user("operator"))
    post(desk_api)
    other = post(operator, {"familyName": "Other", "givenName": "Ann"})
    assert (other.status_code, Patient.objects.count()) == (201, 2)


@pytest.mark.django_db
def test_after_a_day_the_key_is_free_again(desk_api):
    post(desk_api)
    IdempotencyKey.objects.update(
        created_at=timezone.now() - timedelta(hours=idempotency.HOURS, minutes=1)
    )
    assert post(desk_api, {"familyName": "Other", "givenName": "Ann"}).status_code == 201
    assert Patient.objects.count() == 2


@pytest.mark.django_db
def test_keys_older_than_a_day_are_forgotten_and_younger_ones_kept(desk_api):
    post(desk_api, key="old")
    IdempotencyKey.objects.update(
        created_at=timezone.now() - timedelta(hours=idempotency.HOURS, minutes=1)
    )
    post(desk_api, {"familyName": "Other", "givenName": "Ann"}, key="new")
    forget_keys()
    assert list(IdempotencyKey.objects.values_list("key", flat=True)) == ["new"]


@pytest.mark.django_db(transaction=True)
def test_while_the_first_runs_the_api_answers_409_and_the_form_waits(desk_api, front_desk):
    is_registered, may_end = Event(), Event()

    def register(*, holds=False):
        try:
            with transaction.atomic():
                patient = services.register_patient(
                    DETAILS, by=front_desk, source="api", idempotency_key="k1"
                )
                if holds:
                    is_registered.set()
                    assert may_end.wait(60)
                return patient.pk
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(register, holds=True)
        assert is_registered.wait(60)
        second = pool.submit(register)
        refused = post(desk_api)
        was_waiting = not second.done()
        may_end.set()
        assert (first.result(), was_waiting) == (second.result(), True)

    assert (refused.status_code, refused["Retry-After"]) == (409, "1")
    assert refused.json()["type"].endswith("in-flight")
    assert post(desk_api).json()["id"] == str(Patient.objects.get().pk)
