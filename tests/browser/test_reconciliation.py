"""An operator requests a check and sees what differs; each state is accessible."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from portal.patients.services import register_patient
from portal.reconciliation.difference_kinds import KINDS
from portal.reconciliation.models import ReconcileReport
from portal.reconciliation.stores import ALL_STORES

FIGURES = [
    {
        "store": store,
        "patients": 1_000_000,
        "changes": None if store == "billing" else 1_200_000,
        "waiting": 0,
        "differences": 0,
        "note": "",
    }
    for store in ALL_STORES
]


@pytest.fixture
def operator(make_user):
    return make_user("operator", full_name="Olu Operator")


def new_report(status, **more):
    times = {
        "started_at": timezone.now(),
        "finished_at": None if status == "running" else timezone.now(),
    }
    return ReconcileReport.objects.create(status=status, **times, **more)


def new_differing_report(operator):
    patient = register_patient({"family_name": "Example"}, by=operator, source="api")
    stores = [
        entry | {"differences": 2, "note": "7 sent again"} if entry["store"] == "topic" else entry
        for entry in FIGURES
    ]
    found = [
        {
            "kind": kind.code,
            "store": kind.store,
            "patient": str(patient.pk),
            "event": 12 if kind.store == "topic" else None,
            "title": kind.title,
            "found": "version 2",
            "toDo": kind.to_do,
        }
        for kind in KINDS.values()
    ]
    done = [{"what": "put back into the outbox", "count": 1_234}]
    figures = {"stores": stores, "byKind": dict.fromkeys(KINDS, 1)}
    return new_report(
        "differs",
        difference_count=len(found),
        differences=found,
        figures=figures,
        is_repair=True,
        repaired=done,
        by=operator,
    )


@pytest.mark.parametrize("width", [1280, 320])
def test_every_state_is_accessible(staff, operator, width):
    person = staff(operator, width=width)
    person.open("/reconciliation/")
    person.is_readable_by_all()
    reports = [
        new_report("agrees", figures={"stores": FIGURES, "byKind": {}}),
        new_report(
            "failed", message="Kafka does not answer. See KAFKA_BOOTSTRAP_SERVERS, and check again."
        ),
        new_report("running", step="reading topic, analytics and billing"),
        new_differing_report(operator),
    ]
    for address in ("/reconciliation/", *(f"/reconciliation/{report.pk}/" for report in reports)):
        person.open(address)
        person.is_readable_by_all()


def test_the_page_follows_a_check_to_its_end(staff, operator):
    person = staff(operator)
    person.open("/reconciliation/")
    person.page.get_by_role("button", name="Check now").click()
    expect(person.page.get_by_text("Waits for the worker")).to_be_visible()
    ReconcileReport.objects.update(
        status="agrees", figures={"stores": FIGURES, "byKind": {}}, finished_at=timezone.now()
    )
    expect(person.page.get_by_text("Every copy agrees.")).to_be_visible()


def test_it_works_without_scripts(staff, operator):
    person = staff(operator, scripts=False)
    person.open("/reconciliation/")
    person.page.get_by_role("button", name="Check and repair").click()
    expect(person.page.get_by_text("With repair.")).to_be_visible()
    ReconcileReport.objects.update(status="running", step="comparing")
    person.page.get_by_role("link", name="Look again").click()
    expect(person.page.get_by_text("Now: comparing.")).to_be_visible()
