"""A user with the right has billing asked again; figures and patients show the accounts' state."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.urls import reverse

from portal import health
from portal.billing import selectors
from portal.billing.models import BillingAccount
from portal.billing.services import retry_account, retry_accounts
from portal.errors import NotFound
from portal.patients import services
from portal.patients.extensions import extension_members, extensions
from tests.portal.billing.conftest import account_of, new_patient

pytestmark = pytest.mark.django_db


def mark_refused(patient, **more):
    values = {
        "status": "failed",
        "next_attempt_at": None,
        "last_error_code": "INVALID_ARGUMENT",
        "attempts": 1,
    }
    BillingAccount.objects.filter(pk=patient.pk).update(**values | more)


def test_a_failed_account_is_asked_for_again(patient):
    mark_refused(patient)
    ours = retry_account(patient.pk, by=None)
    assert (ours.status, ours.attempts, ours.last_error_code) == ("pending", 0, "")
    assert ours.next_attempt_at is not None


def test_a_failed_update_goes_back_to_the_account_that_is_there(patient):
    mark_refused(patient, account_id="BA-000000001")
    assert retry_account(patient.pk, by=None).status == "active"


def test_a_waiting_account_is_due_at_once(patient):
    BillingAccount.objects.update(next_attempt_at="2999-01-01T00:00Z", attempts=9)
    assert retry_account(patient.pk, by=None).next_attempt_at.year < 2999


def test_an_account_in_order_is_left_as_it_is(patient):
    BillingAccount.objects.update(
        status="active", account_id="BA-000000001", synced_version=1, next_attempt_at=None
    )
    assert retry_account(patient.pk, by=None).next_attempt_at is None


def test_many_are_asked_for_in_a_few_statements(django_assert_max_num_queries):
    patients = services.register_patients(
        [{"family_name": f"Example{n}"} for n in range(300)], by=None, source="import"
    )
    BillingAccount.objects.update(
        status="failed", next_attempt_at=None, last_error_code="INVALID_ARGUMENT"
    )
    in_order, in_order_too = patients[0], patients[1]
    for patient in (in_order, in_order_too):
        account = BillingAccount.objects.filter(pk=patient.pk)
        account.update(status="active", account_id=f"BA-{patient.pk}"[:40])
    with django_assert_max_num_queries(8):
        assert retry_accounts([patient.pk for patient in patients], by=None) == 298
    assert (
        BillingAccount.objects.filter(status="pending", next_attempt_at__isnull=False).count()
        == 298
    )


@pytest.mark.django_db(transaction=True)
def test_a_row_that_is_being_written_is_left_without_a_wait():
    held, free = new_patient(family_name="Held"), new_patient(family_name="Free")
    with ThreadPoolExecutor(1) as other, connection.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute(
            "SELECT 1 FROM billing_billingaccount WHERE patient_id = %s FOR UPDATE", [held.pk]
        )
        assert other.submit(retry_elsewhere, [held.pk, free.pk]).result(60) == 1
        cursor.execute("ROLLBACK")


def retry_elsewhere(ids):
    try:
        return retry_accounts(ids, by=None)
    finally:
        connection.close()


def test_an_unknown_patient_is_not_found():
    with pytest.raises(NotFound):
        retry_account(uuid4(), by=None)


def test_figures_name_every_status(patient):
    mark_refused(new_patient(family_name="Refused"))
    assert selectors.accounts_by_status() == {"pending": 1, "active": 0, "failed": 1, "closed": 0}
    state = selectors.billing_state()
    assert (state.waiting, state.failed) == (1, 1)
    assert state.oldest_seconds >= 0


def test_the_patients_extension_has_status_and_account_id(patient):
    other = new_patient(family_name="Other")
    BillingAccount.objects.filter(pk=other.pk).update(status="active", account_id="BA-000000001")
    without = uuid4()
    parts = extension_members([patient.pk, other.pk, without])
    assert parts[patient.pk]["billing"] == {"status": "pending", "accountId": None}
    assert parts[other.pk]["billing"] == {"status": "active", "accountId": "BA-000000001"}
    assert parts[without]["billing"] == {"status": "pending", "accountId": None}
    [extension] = [extension for extension in extensions() if extension.name == "billing"]
    assert extension.tab.permission == "billing.view_billingaccount"
    assert extension.totals() == selectors.accounts_by_status()


@pytest.fixture
def staff(client):
    def sign_in(*codenames):
        user = get_user_model().objects.create_user("billing@example.org", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client.force_login(user)
        return client

    return sign_in


def ask_again(client, patient):
    data = {"action": "ask_again", "_selected_action": [str(patient.pk)]}
    return client.post(reverse("admin:billing_billingaccount_changelist"), data)


def test_billing_staff_ask_again_from_the_admin(staff, patient):
    mark_refused(patient)
    client = staff("view_billingaccount", "retry_billingaccount")
    assert (
        "INVALID_ARGUMENT"
        in client.get(reverse("admin:billing_billingaccount_changelist")).content.decode()
    )
    ask_again(client, patient)
    assert account_of(patient).status == "pending"


def test_looking_does_not_give_the_right_to_ask_again(staff, patient):
    mark_refused(patient)
    ask_again(staff("view_billingaccount"), patient)
    assert account_of(patient).status == "failed"


def test_the_admin_finds_failed_accounts_by_state_and_reason(staff, patient):
    other = new_patient(family_name="Other")
    mark_refused(patient)
    client = staff("view_billingaccount")
    place = reverse("admin:billing_billingaccount_changelist")
    assert "INVALID_ARGUMENT" in client.get(place).content.decode()
    for query in (
        "status__exact=failed",
        "last_error_code=INVALID_ARGUMENT",
        f"q={patient.mrn}",
        f"q={patient.pk}",
    ):
        page = client.get(f"{place}?{query}").content.decode()
        assert patient.mrn in page
        assert other.mrn not in page
    assert client.get(f"{place}?q=no+such").status_code == 200


def test_failed_accounts_are_counted_in_health_and_metrics(client, patient):
    health.checks.expire()
    mark_refused(patient)
    checks = client.get("/health/ready", SERVER_PORT="4003").json()["checks"]
    assert next(check["failed"] for check in checks if check["name"] == "billing") == 1
    text = client.get("/metrics", SERVER_PORT="4003").content.decode()
    assert 'portal_billing_accounts{status="failed"} 1.0' in text
