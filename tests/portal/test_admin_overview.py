"""The admin's first page says what needs an operator, and the sidebar leads there."""

import re
from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal.billing.models import AccountStatus, BillingAccount
from portal.events.models import QuarantinedEvent, RelayLease
from portal.imports.models import ImportJob, JobStatus
from portal.patients.models import Patient
from portal.reconciliation.models import ReconcileReport, Verdict

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client, make_user):
    client.force_login(make_user("operator", is_staff=True))
    return client


def page_text(client):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", client.get("/admin/").content.decode()))


def create_leading_relay():
    now = timezone.now()
    RelayLease.objects.create(
        name="relay", holder="a", fence=1, renewed_at=now, expires_at=now + timedelta(seconds=5)
    )


def test_a_clinic_where_all_is_well_needs_no_operator(admin):
    create_leading_relay()
    ReconcileReport.objects.create(status=Verdict.AGREES, finished_at=timezone.now())
    page = page_text(admin)
    assert page.count("Fine") == 7
    assert "Needs you" not in page.replace("What needs you", "")


def test_the_relay_is_read_once(admin):
    with CaptureQueriesContext(connection) as queries:
        admin.get("/admin/")
    assert sum("events_relaylease" in query["sql"] for query in queries) == 1


def test_each_trouble_is_named_with_its_number(admin, front_desk):
    patient = Patient.objects.create(family_name="Example")
    BillingAccount.objects.update_or_create(
        patient=patient, defaults={"status": AccountStatus.FAILED}
    )
    QuarantinedEvent.objects.create(event_id=7, reason="ValueError")
    ImportJob.objects.create(
        original_name="a.csv", status=JobStatus.FAILED, finished_at=timezone.now(), size_bytes=1
    )
    AccessAttempt.objects.create(
        username=front_desk.email, ip_address="127.0.0.1", failures_since_start=8
    )
    ReconcileReport.objects.create(
        status=Verdict.DIFFERS, difference_count=3, finished_at=timezone.now()
    )
    page = page_text(admin)
    for summary in (
        "1 event could not be sent.",
        "1 account was refused",
        "1 import failed in 7 days.",
        "1 user is locked out",
        "3 differences are open.",
        "No relay has led yet.",
    ):
        assert summary in page
    assert page.replace("What needs you", "").count("Needs you") == 6
    assert "Example" not in page


def test_a_user_sees_only_what_their_rights_allow(client, make_user):
    client.force_login(make_user("billing", is_staff=True))
    page = page_text(client)
    assert "Billing accounts" in page
    for hidden in ("Quarantined events", "Wrong passwords", "Reconciliation"):
        assert hidden not in page


def test_every_entry_of_the_sidebar_opens(admin):
    page = admin.get("/admin/").content.decode()
    links = set(re.findall(r'href="(/admin/[a-z]+/[a-z]+/(?:\?[^"]*)?)"', page))
    assert len(links) >= 17
    statuses = {link: admin.get(link.replace("&amp;", "&")).status_code for link in links}
    assert statuses == dict.fromkeys(links, 200)


def test_a_link_leads_to_the_staff_pages(admin):
    page = admin.get("/admin/").content.decode()
    assert re.search(r'<a[^>]*href="/"', page)
    assert "Patient Portal" in page
