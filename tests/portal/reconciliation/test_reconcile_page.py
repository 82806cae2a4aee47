"""The pages of reconciliation: each state has its text, and only operators request a check."""

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from portal import health
from portal.patients.services import register_patient
from portal.reconciliation.difference_kinds import KINDS
from portal.reconciliation.models import ReconcileReport
from portal.reconciliation.services import request_check, run_waiting_checks
from portal.reconciliation.workspace import workspace

pytestmark = pytest.mark.django_db
INTERNAL = {"SERVER_PORT": "4003"}
NOBODY = "00000000-0000-4000-8000-000000000001"


@pytest.fixture
def operator(client, make_user):
    user = make_user("operator")
    client.force_login(user)
    return user


def report(status, **more):
    return ReconcileReport.objects.create(
        status=status, started_at=timezone.now(), finished_at=timezone.now(), **more
    )


def difference(code, patient=NOBODY):
    kind = KINDS[code]
    texts = {"title": kind.title, "toDo": kind.to_do, "found": "1 of 2 events", "event": 7}
    return {"kind": code, "store": kind.store, "patient": patient, **texts}


def page(client, address="/reconciliation/", **headers):
    return client.get(address, headers=headers).content.decode()


def test_before_the_first_check_it_says_that_checking_is_safe(client, operator):
    assert "Nothing was checked yet. A check only reads" in page(client)


def test_a_running_check_looks_again_by_itself_and_by_a_link(client, operator):
    running = report("running", step="comparing")
    text = page(client)
    assert "Now: comparing." in text
    assert text.count(f'hx-get="/reconciliation/{running.pk}/"') == 1
    assert f'<a href="/reconciliation/{running.pk}/">Look again</a>' in text


def test_a_poll_gets_the_report_alone(client, operator):
    running = report("running", step="comparing")
    text = page(client, f"/reconciliation/{running.pk}/", HX_Request="true")
    assert "Now: comparing." in text
    assert "<html" not in text


def test_agreement_is_shown(client, operator):
    report("agrees")
    text = page(client)
    assert "Every copy agrees." in text
    assert "hx-get" not in text


def test_differences_name_store_patient_and_what_to_do(client, operator):
    patient = register_patient({"family_name": "Example"}, by=None, source="api")
    found = [difference("not-counted", str(patient.pk))]
    report(
        "differs",
        difference_count=1,
        differences=found,
        figures={"byKind": {"not-counted": 1}, "stores": []},
    )
    text = page(client)
    assert "<strong>1 difference.</strong>" in text
    assert f'<a href="/patients/{patient.pk}/">' in text
    assert "Not every event is counted" in text
    assert KINDS["not-counted"].to_do in text


def test_a_user_who_may_not_open_patients_gets_no_links_to_them(client, make_user):
    user = make_user("auditor")
    user.groups.clear()
    user.user_permissions.add(*permissions("view_reconcilereport"))
    client.force_login(user)
    report(
        "differs",
        difference_count=1,
        differences=[difference("not-counted")],
        figures={"byKind": {"not-counted": 1}},
    )
    text = page(client)
    assert NOBODY in text
    assert f"/patients/{NOBODY}/" not in text


def permissions(codename):
    return Permission.objects.filter(codename=codename)


def test_no_proof_says_which_store_and_what_to_do(client, operator):
    report("failed", message="Kafka does not answer. See KAFKA_BOOTSTRAP_SERVERS, and check again.")
    text = page(client)
    assert "No proof could be given." in text
    assert "See KAFKA_BOOTSTRAP_SERVERS" in text


def test_what_a_repair_did_is_listed(client, operator):
    done = [{"what": "put back into the outbox", "count": 1234}]
    report(
        "agrees",
        is_repair=True,
        repaired=[
            *done,
            {"what": "account closed at billing", "count": 0, "problem": "Billing is away."},
        ],
    )
    text = page(client)
    assert "1,234 put back into the outbox" in text
    assert "Not done: account closed at billing. Billing is away." in text


@pytest.mark.parametrize(("form", "is_repair"), [({}, False), ({"repair": "yes"}, True)])
def test_a_press_has_the_worker_check(client, operator, form, is_repair):
    answer = client.post("/reconciliation/check/", form)
    [requested] = ReconcileReport.objects.all()
    assert (requested.status, requested.by, requested.is_repair) == ("waiting", operator, is_repair)
    assert answer.url == f"/reconciliation/{requested.pk}/"


def test_pressing_twice_makes_one_check(client, operator):
    assert client.post("/reconciliation/check/").url == client.post("/reconciliation/check/").url


def test_an_auditor_may_look_and_not_press(client, make_user):
    client.force_login(make_user("auditor"))
    assert "Check now" not in page(client)
    assert client.post("/reconciliation/check/").status_code == 403


def test_the_front_desk_sees_none_of_it(client, front_desk):
    client.force_login(front_desk)
    assert client.get("/reconciliation/").status_code == 403
    assert client.get(f"/reconciliation/{report('agrees').pk}/").status_code == 403


def test_an_unknown_report_is_404(client, operator):
    assert client.get(f"/reconciliation/{NOBODY}/").status_code == 404


def test_health_and_metrics_have_the_last_verdict(client, monkeypatch):
    health.checks.expire()
    monkeypatch.setattr(health.checks, "ttl_seconds", 0)
    assert reconciliation_check(client) == {
        "name": "reconciliation",
        "ok": True,
        "differences": 0,
        "ageSeconds": None,
    }
    report("differs", difference_count=3)
    report("failed")
    check = reconciliation_check(client)
    assert (check["ok"], check["differences"]) == (False, 3)
    text = client.get("/metrics", **INTERNAL).content.decode()
    assert "portal_reconcile_differences 3.0" in text
    assert "portal_reconcile_age_seconds" in text
    report("agrees")
    assert reconciliation_check(client)["ok"]


def reconciliation_check(client):
    checks = client.get("/health/ready", **INTERNAL).json()["checks"]
    return next(check for check in checks if check["name"] == "reconciliation")


@pytest.mark.django_db(transaction=True)
def test_the_worker_carries_out_what_waits(client, operator):
    asked = request_check(by=operator)
    assert run_waiting_checks() == 1
    asked.refresh_from_db()
    # Nothing listens at the addresses of the tests.
    assert (asked.status, asked.by) == ("failed", operator)
    assert "Kafka does not answer." in asked.message
    assert run_waiting_checks() == 0


@pytest.mark.django_db(transaction=True)
def test_the_worker_leaves_what_another_process_is_at(operator):
    request_check(by=operator)
    with workspace():
        assert run_waiting_checks() == 0


@pytest.mark.django_db(transaction=True)
def test_the_worker_ends_what_was_cut_off(operator):
    running = report("running")
    run_waiting_checks()
    running.refresh_from_db()
    assert (running.status, running.message) == (
        "failed",
        "It was cut off in the middle. Check again.",
    )
