"""The accounts by state in a browser: they follow by themselves and are accessible."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from portal import health
from portal.billing.models import BillingAccount
from portal.patients.models import AccessRecord
from portal.patients.services import register_patient

LONG = "Featherstonehaugh-Wolfeschlegelsteinhausen"
ANSWERED = {"account_id": "BA-0001", "synced_version": 1, "last_error_code": ""}


@pytest.fixture
def clerk(make_user):
    return make_user("billing", full_name="Bo Billing")


def patient_whose_account_is(status: str, name: str = "Example", **more):
    patient = register_patient({"family_name": name, "given_name": "Jane"}, by=None, source="api")
    waits = timezone.now() if status == "pending" else None
    known = ANSWERED if status in ("active", "closed") else {}
    BillingAccount.objects.filter(pk=patient.pk).update(
        status=status, next_attempt_at=waits, **{**known, **more}
    )
    return patient


@pytest.mark.parametrize("width", [1280, 320])
def test_every_state_is_accessible(staff, clerk, width, monkeypatch):
    person = staff(clerk, width=width)
    for state in ("pending", "failed", "active", "closed"):  # Empty first.
        person.open(f"/billing/?state={state}")
        person.is_readable_by_all()
    patient_whose_account_is("pending", "Able", last_error_code="UNAVAILABLE", attempts=3)
    patient_whose_account_is(
        "failed", LONG, last_error_code="INVALID_ARGUMENT", answered_at=timezone.now()
    )
    patient_whose_account_is("active", "Charlie")
    patient_whose_account_is("closed", "Delta")
    away = health.Check("billing", ok=False, still_works="Patients are saved.")
    monkeypatch.setattr("portal.staff.context.checks_behind", lambda: [away])
    for state in ("pending", "failed", "active", "closed"):
        person.open(f"/billing/?state={state}")
        expect(person.page.get_by_text("Billing is behind.")).to_be_visible()
        person.is_readable_by_all()


def test_pending_turns_active_by_itself_and_names_are_read_once(staff, clerk):
    patient = patient_whose_account_is("pending")
    person = staff(clerk)
    person.open("/billing/")
    row = person.page.get_by_role("row").filter(has_text="EXAMPLE, Jane")
    expect(row.get_by_text("Pending")).to_be_visible()
    accesses = AccessRecord.objects.filter(patient_ids__contains=[patient.pk]).count()
    BillingAccount.objects.update(
        status="active", next_attempt_at=None, answered_at=timezone.now(), **ANSWERED
    )
    expect(row.get_by_text("Active")).to_be_visible()
    expect(person.page.get_by_role("link", name="Active 1")).to_be_visible()
    expect(person.page.get_by_text("Billing knows of every change.")).to_be_visible()
    assert AccessRecord.objects.filter(patient_ids__contains=[patient.pk]).count() == accesses
    person.is_readable_by_all()


@pytest.mark.parametrize("scripts", [True, False])
def test_the_chosen_ones_are_asked_for_again(staff, clerk, scripts):
    for name in ("Able", "Baker", "Charlie"):
        patient_whose_account_is("failed", name, last_error_code="INVALID_ARGUMENT")
    person = staff(clerk, scripts=scripts)
    person.open("/billing/")
    person.page.get_by_label("Choose ABLE, Jane").check()
    person.page.get_by_role("button", name="Ask again for the chosen ones").click()
    expect(person.page.get_by_text("Billing is asked again for 1 account.")).to_be_visible()
    person.page.get_by_role("button", name="Ask now for BAKER, Jane").click()
    expect(person.page.get_by_role("link", name="Pending 2")).to_be_visible()
    person.page.get_by_role("button", name="Ask again for all 1").click()
    expect(person.page.get_by_text("Billing has refused no account.")).to_be_visible()
    assert BillingAccount.objects.filter(status="pending").count() == 3


def test_the_focus_stays_where_it_is_while_the_page_follows(staff, clerk):
    patient_whose_account_is("pending")
    person = staff(clerk)
    person.open("/billing/")
    person.page.locator("#tile-failed").focus()
    with person.page.expect_response("**/billing/states/**"):
        pass
    # By the second request, the answer to the first was put in place.
    with person.page.expect_response("**/billing/states/**"):
        pass
    expect(person.page.locator("#tile-failed")).to_be_focused()
