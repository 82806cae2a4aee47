"""Every kind of difference is planted past all doors, found, and healed where that can be."""

import pytest
from django.conf import settings
from django.db import transaction

from portal.billing.models import BillingAccount
from portal.events.encoding import encode
from portal.events.models import QuarantinedEvent
from portal.patients.models import EventOutbox, Patient, PatientEvent
from portal.patients.services import archive_patient
from portal.reconciliation.difference_kinds import KINDS
from tests.portal.reconciliation.running_system import (
    LONG,
    Answer,
    change,
    reconcile,
    register,
    tell,
    without_triggers,
)
from tests.waits import wait_for

pytestmark = pytest.mark.django_db  # They only look at what the fixture did.
STRANGER = "00000000-0000-4000-8000-00000000000{}"
SHORT = 0.5  # What is planted stays however long one waits.
PATIENT, LOG = "patients_patient", "patients_patientevent"


class Planted:
    """One patient for each kind, with what else must show there; and what the command answered."""

    def __init__(self, system) -> None:
        self.system = system
        self.patients: dict[str, str] = {}
        self.kinds: dict[str, set[str]] = {}

    def plant(self, kind: str, patient_id, *more: str) -> None:
        self.patients[kind], self.kinds[kind] = str(patient_id), {kind, *more}


def changed_patient(**details) -> Patient:
    return change(register(**details), city="Leeds")


@pytest.fixture(scope="module")
def planted(system):
    """The relay is off until everything was found: it would heal some of it by itself."""
    here = Planted(system)
    olds = {kind: changed_patient() for kind in KINDS}
    archive_patient(olds["open-though-archived"].pk, by=None, source="portal")
    assert reconcile().code == 0
    system.relay.end()
    for plant in (in_log, on_topic, in_analytics, in_billing):
        plant(here, olds)
    wait_for(lambda: not EventOutbox.objects.exists())
    here.found = reconcile(patience=SHORT)
    with system.relaying():
        here.repaired = reconcile("--repair", patience=SHORT)
        here.left = wait_for(lambda: when_healed(reconcile(patience=SHORT)), seconds=LONG)
    return here


def when_healed(answer: Answer) -> Answer | None:
    return answer if set(answer.report["byKind"]) <= set(LEFT) else None


def in_log(here: Planted, olds: dict[str, Patient]) -> None:
    with without_triggers(PATIENT):
        here.plant("patient-without-log", register().pk)
    one = olds["log-behind"]
    with without_triggers(PATIENT):
        tell(f"UPDATE {PATIENT} SET version = version + 1, city = 'York' WHERE id = %s", one.pk)
    here.plant("log-behind", one.pk)
    one = olds["log-ahead"]
    with without_triggers(PATIENT):
        tell(f"UPDATE {PATIENT} SET version = version - 1 WHERE id = %s", one.pk)
    here.plant("log-ahead", one.pk, "billing-ahead")
    one = olds["version-missing"]
    with without_triggers(LOG):
        tell(f"DELETE FROM {LOG} WHERE pgh_obj_id = %s AND version = 1", one.pk)
    here.plant("version-missing", one.pk, "unknown-event", "counted-too-often", "not-asked")
    one = olds["log-of-nobody"]
    with without_triggers(PATIENT, "billing_billingaccount"):
        tell("DELETE FROM billing_billingaccount WHERE patient_id = %s", one.pk)
        tell(f"DELETE FROM {PATIENT} WHERE id = %s", one.pk)
    here.plant("log-of-nobody", one.pk, "account-of-nobody")
    one = olds["quarantined"]
    event = PatientEvent.objects.filter(pgh_obj_id=one.pk).first()
    QuarantinedEvent.objects.create(event_id=event.pk, patient_id=one.pk, reason="ValueError")
    here.plant("quarantined", one.pk)


def on_topic(here: Planted, olds: dict[str, Patient]) -> None:
    one = unsent()
    here.plant("not-sent", one.pk, "not-counted")
    one = unsent()
    first, second = events_of(one)
    here.system.send(settings.KAFKA_TOPIC_PATIENT, message(second, first), message(first))
    here.plant("out-of-order", one.pk)
    one = olds["unknown-event"]
    first, second = events_of(one)
    second.pgh_id = 10**15
    here.system.send(settings.KAFKA_TOPIC_PATIENT, message(second, first))
    here.plant("unknown-event", one.pk, "counted-too-often")
    tell_analytics = here.system.tell_analytics
    planted_there = f"patient_id IN ('{here.patients['out-of-order']}', '{one.pk}')"
    wait_for(
        lambda: (
            tell_analytics(f"SELECT sum(counted) FROM patient_state WHERE {planted_there}")
            == [(5,)]
        )
    )


def in_analytics(here: Planted, olds: dict[str, Patient]) -> None:
    tell_analytics = here.system.tell_analytics
    one = olds["not-counted"].pk
    for table in ("patient_state", "counted_event"):
        tell_analytics(f"DELETE FROM {table} WHERE patient_id = '{one}'")
    here.plant("not-counted", one)
    one = olds["counted-too-often"].pk
    tell_analytics(f"INSERT INTO counted_event VALUES ('{one}', {10**14}, now())")
    tell_analytics(f"UPDATE patient_state SET counted = counted + 1 WHERE patient_id = '{one}'")
    here.plant("counted-too-often", one)
    tell_analytics(f"""
        INSERT INTO patient_state
            (patient_id, version, event_id, status, sex, birth_year, region, registered_through, counted)
        VALUES ('{STRANGER.format(1)}', 1, {10**13}, 'active', 'other', 0, '', 'api', 1)""")
    here.plant("unknown-patient", STRANGER.format(1))
    for kind, is_now in (
        ("state-behind", "version = version - 1"),
        ("state-ahead", "version = version + 5"),
        ("other-status", "status = 'archived'"),
    ):
        tell_analytics(f"UPDATE patient_state SET {is_now} WHERE patient_id = '{olds[kind].pk}'")
        here.plant(kind, olds[kind].pk)


def in_billing(here: Planted, olds: dict[str, Patient]) -> None:
    tell_billing = here.system.tell_billing
    BillingAccount.objects.filter(pk=olds["not-asked"].pk).delete()
    here.plant("not-asked", olds["not-asked"].pk)
    tell_billing(f"DELETE FROM billing_account WHERE patient_id = '{olds['no-account'].pk}'")
    here.plant("no-account", olds["no-account"].pk)
    BillingAccount.objects.filter(pk=olds["other-account"].pk).update(account_id="BA-999999999")
    here.plant("other-account", olds["other-account"].pk)
    tell_billing("ALTER TABLE billing_account DROP CONSTRAINT billing_account_one_for_each_patient")
    insert = "INSERT INTO billing_account (patient_id, name, email, patient_version) VALUES ('{}', 'x', '', 2)"
    tell_billing(insert.format(olds["two-accounts"].pk))
    here.plant("two-accounts", olds["two-accounts"].pk)
    tell_billing(insert.format(STRANGER.format(2)))
    here.plant("account-of-nobody", STRANGER.format(2))
    for kind, is_now in (
        ("billing-behind", "patient_version = 0"),
        ("billing-ahead", "patient_version = 99"),
        ("open-though-archived", "closed_at = NULL"),
        ("closed-though-active", "closed_at = now()"),
    ):
        tell_billing(f"UPDATE billing_account SET {is_now} WHERE patient_id = '{olds[kind].pk}'")
        here.plant(kind, olds[kind].pk)
    BillingAccount.objects.filter(pk=olds["refused"].pk).update(
        status="failed", last_error_code="INVALID_ARGUMENT"
    )
    here.plant("refused", olds["refused"].pk)


def unsent() -> Patient:
    """Somebody whose events left the outbox without having been sent."""
    with transaction.atomic():
        one = changed_patient()
        EventOutbox.objects.filter(event_id__in=[event.pk for event in events_of(one)]).delete()
    return one


def events_of(patient: Patient) -> list[PatientEvent]:
    return list(PatientEvent.objects.filter(pgh_obj_id=patient.pk).order_by("version"))


def message(row: PatientEvent, previous: PatientEvent | None = None) -> tuple[str, bytes]:
    encoded = encode(row, previous, include_contact=False)
    return encoded.patient_id, encoded.value


NO_PATIENT = {"figure-differs"}
HEALED = [kind.code for kind in KINDS.values() if kind.remedies and kind.code not in NO_PATIENT]
LEFT = [kind.code for kind in KINDS.values() if not kind.remedies]


@pytest.mark.parametrize("kind", [code for code in KINDS if code not in NO_PATIENT])
def test_each_kind_is_found_where_it_was_planted(planted, kind):
    assert planted.found.kinds_of(planted.patients[kind]) == planted.kinds[kind]


def test_nothing_else_is_found(planted):
    shown = {one["patient"] for one in planted.found.report["differences"]}
    assert shown - {None} == set(planted.patients.values())


def test_figures_that_do_not_follow_from_the_states_are_found(planted):
    assert planted.found.report["byKind"]["figure-differs"] > 0


def test_differences_end_with_1(planted):
    assert (planted.found.code, planted.found.report["verdict"]) == (1, "differs")


@pytest.mark.parametrize("kind", HEALED)
def test_the_repair_heals_it(planted, kind):
    assert planted.left.kinds_of(planted.patients[kind]) <= set(LEFT)


def test_the_repair_heals_the_figures(planted):
    assert "figure-differs" not in planted.left.report["byKind"]


@pytest.mark.parametrize("kind", LEFT)
def test_what_no_repair_heals_stays_visible(planted, kind):
    assert kind in planted.left.kinds_of(planted.patients[kind])


def test_the_repair_says_what_it_did(planted):
    done = {one["what"]: one["count"] for one in planted.repaired.report["repaired"]}
    assert done.pop("put back into the outbox") > 10
    assert done.pop("asked of billing again") in (
        3,
        4,
        5,
    )  # Two of them the relay may have found by itself.
    assert done == {
        "written into the log": 2,
        "deletion written into the log": 1,
        "forgotten by analytics, to be counted anew": 7,
        "account asked of billing again": 2,
        "account closed at billing": 2,
    }
