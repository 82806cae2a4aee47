"""Each kind of difference is planted past the application, found, and repaired if it can be."""

import pytest
from django.conf import settings
from django.db import transaction

from portal.billing.models import BillingAccount
from portal.events.encoding import encode
from portal.events.models import QuarantinedEvent
from portal.patients.models import EventOutbox, Patient, PatientEvent
from portal.patients.services import archive_patient
from portal.reconciliation.difference_kinds import KINDS
from tests.past_the_checks import write_past_the_checks
from tests.portal.reconciliation.running_system import (
    LONG,
    Reconciliation,
    change,
    execute_sql,
    reconcile,
    register,
    without_triggers,
)
from tests.waits import wait_for

pytestmark = pytest.mark.django_db  # The tests only read what the fixture did.
STRANGER = "00000000-0000-4000-8000-00000000000{}"
SHORT = 0.5  # Seconds of patience: what is planted does not pass.
PATIENT, LOG = "patients_patient", "patients_patientevent"


class Planted:
    """A patient for each kind, with all kinds that must show there; and the reconciliations."""

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
    """The planted differences; the relay is off until all were found, since it repairs some."""
    planted = Planted(system)
    patients = {kind: changed_patient() for kind in KINDS}
    archive_patient(patients["open-though-archived"].pk, by=None, source="portal")
    assert reconcile().code == 0
    system.relay.end()
    for plant in (plant_in_log, plant_on_topic, plant_in_analytics, plant_in_billing):
        plant(planted, patients)
    wait_for(lambda: not EventOutbox.objects.exists())
    execute_sql("SELECT setval('patients_patientevent_pgh_id_seq', max(pgh_id) - 1)" + _OF_LOG)
    planted.found = reconcile(patience=SHORT)
    with system.run_relay():
        planted.repaired = reconcile("--repair", patience=SHORT)
        planted.left = wait_for(reconcile_until_repaired, seconds=LONG)
    return planted


_OF_LOG = " FROM patients_patientevent"


def reconcile_until_repaired() -> Reconciliation | None:
    reconciliation = reconcile(patience=SHORT)
    return reconciliation if set(reconciliation.report["byKind"]) <= set(LEFT) else None


def plant_in_log(planted: Planted, patients: dict[str, Patient]) -> None:
    with without_triggers(PATIENT):
        write_past_the_checks(patients["impossible-date"], deceased_on="19840-03-15")
    planted.plant("impossible-date", patients["impossible-date"].pk)
    with without_triggers(PATIENT):
        planted.plant("patient-without-log", register().pk)
    patient = patients["log-behind"]
    with without_triggers(PATIENT):
        execute_sql(
            f"UPDATE {PATIENT} SET version = version + 1, city = 'York' WHERE id = %s", patient.pk
        )
    planted.plant("log-behind", patient.pk)
    patient = patients["log-ahead"]
    with without_triggers(PATIENT):
        execute_sql(f"UPDATE {PATIENT} SET version = version - 1 WHERE id = %s", patient.pk)
    planted.plant("log-ahead", patient.pk, "billing-ahead")
    patient = patients["version-missing"]
    with without_triggers(LOG):
        execute_sql(f"DELETE FROM {LOG} WHERE pgh_obj_id = %s AND version = 1", patient.pk)
    planted.plant("version-missing", patient.pk, "unknown-event", "counted-too-often", "not-asked")
    patient = patients["log-of-nobody"]
    with without_triggers(PATIENT, "billing_billingaccount"):
        execute_sql("DELETE FROM billing_billingaccount WHERE patient_id = %s", patient.pk)
        execute_sql(f"DELETE FROM {PATIENT} WHERE id = %s", patient.pk)
    planted.plant("log-of-nobody", patient.pk, "account-of-nobody")
    patient = patients["quarantined"]
    event = PatientEvent.objects.filter(pgh_obj_id=patient.pk).first()
    QuarantinedEvent.objects.create(event_id=event.pk, patient_id=patient.pk, reason="ValueError")
    planted.plant("quarantined", patient.pk)


def plant_on_topic(planted: Planted, patients: dict[str, Patient]) -> None:
    patient = unsent_patient()
    planted.plant("not-sent", patient.pk, "not-counted")
    patient = unsent_patient()
    first, second = events_of(patient)
    planted.system.send(settings.KAFKA_TOPIC_PATIENT, message(second, first), message(first))
    planted.plant("out-of-order", patient.pk)
    patient = patients["unknown-event"]
    first, second = events_of(patient)
    second.pgh_id = 10**15
    planted.system.send(settings.KAFKA_TOPIC_PATIENT, message(second, first))
    planted.plant("unknown-event", patient.pk, "counted-too-often")
    execute = planted.system.execute_at_analytics
    sent_patients = f"patient_id IN ('{planted.patients['out-of-order']}', '{patient.pk}')"
    wait_for(
        lambda: execute(f"SELECT sum(counted) FROM patient_state WHERE {sent_patients}") == [(5,)]
    )


def plant_in_analytics(planted: Planted, patients: dict[str, Patient]) -> None:
    execute = planted.system.execute_at_analytics
    patient = patients["not-counted"].pk
    for table in ("patient_state", "counted_event"):
        execute(f"DELETE FROM {table} WHERE patient_id = '{patient}'")
    planted.plant("not-counted", patient)
    patient = patients["counted-too-often"].pk
    execute(f"INSERT INTO counted_event VALUES ('{patient}', {10**14}, now())")
    execute(f"UPDATE patient_state SET counted = counted + 1 WHERE patient_id = '{patient}'")
    planted.plant("counted-too-often", patient)
    execute(f"""
        INSERT INTO patient_state
            (patient_id, version, event_id, status, sex, birth_year, region, registered_through,
             counted)
        VALUES ('{STRANGER.format(1)}', 1, {10**13}, 'active', 'other', 0, '', 'api', 1)""")
    planted.plant("unknown-patient", STRANGER.format(1))
    for kind, assignment in (
        ("state-behind", "version = version - 1"),
        ("state-ahead", "version = version + 5"),
        ("other-status", "status = 'archived'"),
    ):
        execute(f"UPDATE patient_state SET {assignment} WHERE patient_id = '{patients[kind].pk}'")
        planted.plant(kind, patients[kind].pk)


def plant_in_billing(planted: Planted, patients: dict[str, Patient]) -> None:
    execute = planted.system.execute_at_billing
    BillingAccount.objects.filter(pk=patients["not-asked"].pk).delete()
    planted.plant("not-asked", patients["not-asked"].pk)
    execute(f"DELETE FROM billing_account WHERE patient_id = '{patients['no-account'].pk}'")
    planted.plant("no-account", patients["no-account"].pk)
    BillingAccount.objects.filter(pk=patients["other-account"].pk).update(account_id="BA-999999999")
    planted.plant("other-account", patients["other-account"].pk)
    execute("ALTER TABLE billing_account DROP CONSTRAINT billing_account_one_for_each_patient")
    columns = "(patient_id, name, email, patient_version)"
    insert = f"INSERT INTO billing_account {columns} VALUES ('{{}}', 'x', '', 2)"
    execute(insert.format(patients["two-accounts"].pk))
    planted.plant("two-accounts", patients["two-accounts"].pk)
    execute(insert.format(STRANGER.format(2)))
    planted.plant("account-of-nobody", STRANGER.format(2))
    for kind, assignment in (
        ("billing-behind", "patient_version = 0"),
        ("billing-ahead", "patient_version = 99"),
        ("open-though-archived", "closed_at = NULL"),
        ("closed-though-active", "closed_at = now()"),
    ):
        execute(f"UPDATE billing_account SET {assignment} WHERE patient_id = '{patients[kind].pk}'")
        planted.plant(kind, patients[kind].pk)
    BillingAccount.objects.filter(pk=patients["refused"].pk).update(
        status="failed", last_error_code="INVALID_ARGUMENT"
    )
    planted.plant("refused", patients["refused"].pk)


def unsent_patient() -> Patient:
    """Returns a patient whose events left the outbox without having been sent."""
    with transaction.atomic():
        patient = changed_patient()
        EventOutbox.objects.filter(event_id__in=[event.pk for event in events_of(patient)]).delete()
    return patient


def events_of(patient: Patient) -> list[PatientEvent]:
    return list(PatientEvent.objects.filter(pgh_obj_id=patient.pk).order_by("version"))


def message(row: PatientEvent, previous: PatientEvent | None = None) -> tuple[str, bytes]:
    encoded = encode(row, previous, include_contact=False)
    return encoded.patient_id, encoded.value


NO_PATIENT = {"figure-differs", "topic-forgets", "numbers-behind"}
REPAIRED = [kind.code for kind in KINDS.values() if kind.remedies and kind.code not in NO_PATIENT]
LEFT = [kind.code for kind in KINDS.values() if not kind.remedies and kind.code not in NO_PATIENT]


@pytest.mark.parametrize("kind", [code for code in KINDS if code not in NO_PATIENT])
def test_each_kind_is_found_where_it_was_planted(planted, kind):
    assert planted.found.kinds_of(planted.patients[kind]) == planted.kinds[kind]


def test_nothing_else_is_found(planted):
    shown = {difference["patient"] for difference in planted.found.report["differences"]}
    assert shown - {None} == set(planted.patients.values())


def test_figures_that_do_not_follow_from_the_states_are_found(planted):
    assert planted.found.report["byKind"]["figure-differs"] > 0


def test_numbers_that_would_come_again_are_found_and_skipped(planted):
    assert planted.found.report["byKind"]["numbers-behind"] == 1
    assert "numbers-behind" not in planted.left.report["byKind"]


def test_differences_end_with_1(planted):
    assert (planted.found.code, planted.found.report["verdict"]) == (1, "differs")


@pytest.mark.parametrize("kind", REPAIRED)
def test_the_repair_removes_it(planted, kind):
    assert planted.left.kinds_of(planted.patients[kind]) <= set(LEFT)


def test_the_repair_corrects_the_figures(planted):
    assert "figure-differs" not in planted.left.report["byKind"]


@pytest.mark.parametrize("kind", LEFT)
def test_what_no_repair_removes_stays_visible(planted, kind):
    assert kind in planted.left.kinds_of(planted.patients[kind])


def test_the_repair_reports_what_it_did(planted):
    done = {item["what"]: item["count"] for item in planted.repaired.report["repaired"]}
    assert done.pop("put back into the outbox") > 10
    # The relay that begins to lead may have been first.
    assert done.pop("MRNs skipped, past those given out before", 0) in (0, 1002)
    # The relay may have found two of them by itself.
    assert done.pop("asked of billing again") in (3, 4, 5)
    assert done == {
        "written into the log": 2,
        "deletion written into the log": 1,
        "forgotten by analytics, to be counted anew": 7,
        "account asked of billing again": 2,
        "account closed at billing": 2,
    }
