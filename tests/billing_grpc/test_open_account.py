"""CreateBillingAccount: one account for a patient, however often it is asked for."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest

from protos.billing.v1 import billing_service_pb2 as v1
from tests.billing_grpc.caller import EXISTED, OPENED, OTHER_DETAILS, new_patient, refusal


def test_a_new_patient_gets_an_active_account_with_what_was_sent(billing):
    patient = new_patient(name="  Zoë Müller ", patient_version=3)
    opening = billing.open(patient)
    account = opening.account
    assert opening.outcome == OPENED
    assert account.account_id.startswith("BA-")
    assert len(account.account_id) == len("BA-000000123")
    assert (account.patient_id, account.name, account.email) == (
        patient.patient_id,
        "Zoë Müller",
        "zoe@example.org",
    )
    assert (account.status, account.patient_version) == (v1.ACCOUNT_STATUS_ACTIVE, 3)
    assert abs(account.opened_at.ToDatetime(UTC) - datetime.now(UTC)) < timedelta(minutes=1)
    assert not account.HasField("closed_at")


def test_the_same_call_again_answers_with_the_same_account(billing):
    patient = new_patient()
    first, second = billing.open(patient), billing.open(patient)
    assert second.account == first.account
    assert (first.outcome, second.outcome) == (OPENED, EXISTED)


def test_other_details_for_the_same_patient_change_nothing_and_say_so(billing):
    patient = new_patient()
    first = billing.open(patient)
    for other in ({"name": "Zoe Mueller"}, {"email": "other@example.org"}, {"email": ""}):
        again = billing.open(new_patient(patient_id=patient.patient_id, **other))
        assert (again.outcome, again.account) == (OTHER_DETAILS, first.account)
    assert billing.get(patient.patient_id) == first.account


def test_a_patient_id_in_capitals_is_the_same_patient(billing):
    patient = new_patient()
    first = billing.open(patient)
    again = billing.open(new_patient(patient_id=patient.patient_id.upper()))
    assert (again.outcome, again.account) == (EXISTED, first.account)


def test_eight_callers_at_once_get_one_account_and_one_of_them_opened_it(billing):
    """Red when the insert does not leave a conflict to PostgreSQL."""
    for _ in range(10):
        patient, together = new_patient(), Barrier(8)

        def call(_, patient=patient, together=together):
            together.wait()
            return billing.open(patient)

        with ThreadPoolExecutor(8) as callers:
            openings = list(callers.map(call, range(8)))
        assert len({opening.account.account_id for opening in openings}) == 1
        assert sorted(opening.outcome for opening in openings) == [OPENED] + [EXISTED] * 7


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"patient_id": ""}, "patient_id: must be a UUID of 36 characters"),
        ({"patient_id": "7"}, "patient_id: must be a UUID of 36 characters"),
        (
            {"patient_id": "{12345678-1234-1234-1234-123456789012}"},
            "patient_id: must be a UUID of 36 characters",
        ),
        (
            {"patient_id": "12345678-1234-1234-1234-12345678901٢"},
            "patient_id: must be a UUID of 36 characters",
        ),
        ({"name": " \t"}, "name: is required"),
        ({"name": "N" * 601}, "name: must be at most 600 characters"),
        ({"name": "Zo\0e"}, "name: must not have the character U+0000"),
        ({"email": "zoe"}, "email: must be an e-mail address"),
        ({"email": "@example.org"}, "email: must be an e-mail address"),
        ({"email": "z@" + "e" * 253}, "email: must be at most 254 characters"),
        ({"patient_version": -1}, "patient_version: must not be negative"),
        ({"name": "", "email": "@"}, "name: is required; email: must be an e-mail address"),
    ],
)
def test_a_wrong_field_is_refused_by_name(billing, wrong, text):
    assert refusal(billing.open, new_patient(**wrong)) == ("INVALID_ARGUMENT", text)


def test_the_longest_name_and_no_email_and_no_version_are_taken(billing):
    account = billing.open(new_patient(name="Ÿ" * 600, email="", patient_version=0)).account
    assert (account.name, account.email, account.patient_version) == ("Ÿ" * 600, "", 0)
