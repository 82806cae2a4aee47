"""P3: the transaction that writes a patient requests an account, through every channel, once."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from portal.billing.models import BillingAccount
from portal.billing.services import FIRST_ID, request_accounts, sweep_newest, sweep_slice
from portal.patients import services
from portal.patients.models import Patient
from tests.portal.billing.conftest import account_of, change, new_patient

pytestmark = pytest.mark.django_db


def execute_sql(statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone() if cursor.description else None


def mark_answered(patient):
    """Stores what an answer of billing would."""
    BillingAccount.objects.filter(pk=patient.pk).update(
        status="active",
        account_id=f"BA-{patient.pk}"[:40],
        synced_version=patient.version,
        next_attempt_at=None,
    )


def is_waiting(patient) -> bool:
    return account_of(patient).next_attempt_at is not None


def test_registering_asks_for_an_account(patient):
    assert (account_of(patient).status, account_of(patient).wanted_version) == ("pending", 1)
    assert is_waiting(patient)


def test_a_rolled_back_registration_asks_for_nothing():
    with pytest.raises(RuntimeError), transaction.atomic():
        raise RuntimeError(new_patient().pk)
    assert not BillingAccount.objects.exists()


def test_an_orm_save_asks_too():
    assert is_waiting(Patient.objects.create(family_name="Example"))


def test_a_bulk_registration_asks_for_all_in_one_statement(django_assert_max_num_queries):
    details = [{"family_name": f"Example{n}"} for n in range(300)]
    with django_assert_max_num_queries(8):
        patients = services.register_patients(details, by=None, source="import")
    assert (
        BillingAccount.objects.filter(
            pk__in=[patient.pk for patient in patients], status="pending"
        ).count()
        == 300
    )


def test_asking_again_changes_nothing(patient):
    assert request_accounts([patient.pk]) == 0
    assert BillingAccount.objects.count() == 1


@pytest.mark.parametrize(
    "changes", [{"family_name": "Other"}, {"prefix": "Dr"}, {"email": "new@example.org"}]
)
def test_another_name_or_email_has_to_be_told(patient, changes):
    mark_answered(patient)
    change(patient, **changes)
    assert is_waiting(patient)
    assert (account_of(patient).status, account_of(patient).wanted_version) == ("active", 2)


def test_other_changes_are_not_billings_business(patient):
    mark_answered(patient)
    change(patient, city="Leeds")
    assert not is_waiting(patient)
    assert account_of(patient).wanted_version == 1


def test_a_name_changed_after_other_changes_is_told_at_its_version(patient):
    mark_answered(patient)
    change(patient, city="Leeds")
    change(patient, given_name="Janet")
    assert account_of(patient).wanted_version == 3


def test_correcting_the_name_asks_again_after_a_refusal(patient):
    BillingAccount.objects.filter(pk=patient.pk).update(
        status="failed", next_attempt_at=None, attempts=3
    )
    change(patient, email="right@example.org")
    assert is_waiting(patient)
    assert (account_of(patient).status, account_of(patient).attempts) == ("pending", 0)


def test_the_sweep_finds_a_patient_that_sql_inserted():
    [patient_id] = execute_sql(
        "INSERT INTO patients_patient (family_name) VALUES ('Raw') RETURNING id"
    )
    assert not BillingAccount.objects.exists()
    assert sweep_newest(limit=10) == 1
    assert BillingAccount.objects.get().pk == patient_id
    assert sweep_newest(limit=10) == 0


def test_the_sweep_finds_a_name_that_sql_changed(patient):
    mark_answered(patient)
    execute_sql("UPDATE patients_patient SET city = 'York' WHERE id = %s", patient.pk)
    assert sweep_newest(limit=10) == 0
    execute_sql("UPDATE patients_patient SET given_name = 'Janet' WHERE id = %s", patient.pk)
    assert sweep_newest(limit=10) == 1
    assert is_waiting(patient)


def test_slices_reach_every_patient_whatever_the_id():
    ids = [f"{digit}0000000-0000-4000-8000-000000000000" for digit in "3fa178"]
    for patient_id in ids:
        execute_sql("INSERT INTO patients_patient (id, family_name) VALUES (%s, 'Raw')", patient_id)
    after, rounds = sweep_slice(FIRST_ID, limit=4), 1
    while after != FIRST_ID:
        after, rounds = sweep_slice(after, limit=4), rounds + 1
    assert {str(pk) for pk in BillingAccount.objects.values_list("pk", flat=True)} == set(ids)
    assert rounds == 3


def test_no_log_is_read_for_the_accounts_of_new_patients():
    """Red when `insert_patients` requests accounts as for patients who changed."""
    with CaptureQueriesContext(connection) as queries:
        services.insert_patients([{"family_name": "Example"}], by=None, source="import")
    [request] = [query["sql"] for query in queries if "billing_billingaccount" in query["sql"]]
    assert "patients_patientevent" not in request
    assert BillingAccount.objects.get().status == "pending"
