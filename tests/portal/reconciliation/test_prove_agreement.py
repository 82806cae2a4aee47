"""`manage.py reconcile` on a running system: proof, no false alarm, and no proof without cause."""

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest
from django.conf import settings as current_settings
from django.core.management import CommandError, call_command
from django.db import connection

from portal.events.encoding import encode
from portal.events.models import TopicRefill
from portal.patients.models import PatientEvent
from portal.patients.services import archive_patient, restore_patient
from portal.reconciliation.models import ReconcileReport
from portal.reconciliation.stores import ALL_STORES
from portal.reconciliation.workspace import workspace
from tests.portal.events.relays import ROOT, environment
from tests.portal.reconciliation.running_system import (
    change,
    execute_sql,
    reconcile,
    register,
)
from tests.waits import wait_for

CLOSED = "127.0.0.1:1"


@pytest.mark.django_db
def test_without_any_peer_there_is_no_proof():
    answer = reconcile()
    away = {name for name in ALL_STORES if answer.store(name)["differences"] is None}
    assert (answer.code, away) == (2, {"topic", "analytics", "billing"})


def test_an_empty_system_agrees(system):
    answer = reconcile()
    assert (answer.code, answer.report["verdict"]) == (0, "agrees")
    assert {answer.store(name)["patients"] for name in ALL_STORES} == {0}


def test_every_store_has_the_same_figures(system):
    for _ in range(3):
        archive_patient(change(register(), city="Leeds").pk, by=None, source="portal")
    answer = reconcile()
    assert answer.code == 0
    figures = [
        (answer.store(name)["patients"], answer.store(name)["changes"]) for name in ALL_STORES
    ]
    [patients, log, outbox, topic, analytics, billing] = figures
    assert patients == log == topic == analytics
    assert (patients[0], outbox) == (billing[0], (0, 0))
    assert answer.store("billing")["note"].endswith("closed")


def test_an_account_of_another_client_is_named_and_stays_open(system):
    """Red when the repair takes it for the account of a deleted patient, and closes it."""
    before = reconcile().store("billing")["patients"]
    columns = "(patient_id, client_patient_id, name, email, patient_version)"
    stranger = "00000000-0000-4000-8000-00000000000a"
    ids = ("NULL, '12333'", "NULL, '12334'", f"'{stranger}', NULL")
    values = ", ".join(f"({pair}, 'x', '', 0)" for pair in ids)
    system.execute_at_billing(f"INSERT INTO billing_account {columns} VALUES {values}")
    try:
        answer = reconcile("--repair")
        assert (answer.code, answer.report["byKind"]) == (0, {})
        assert answer.store("billing")["patients"] == before
        assert "3 of other clients, for patients unknown here" in answer.store("billing")["note"]
        closed = system.execute_at_billing(
            "SELECT count(*) FROM billing_account WHERE closed_at IS NOT NULL AND name = 'x'"
        )
        assert closed == [(0,)]
    finally:
        system.execute_at_billing("DELETE FROM billing_account WHERE name = 'x'")


def test_changes_meanwhile_are_no_difference(system):
    stopping, done = threading.Event(), count()

    def work():
        try:
            patients = [register() for _ in range(5)]
            while not stopping.is_set():
                patients.append(register())
                patient = patients[next(done) % 5]
                change(patient, city=f"Town {next(done)}")
                archive_patient(patient.pk, by=None, source="portal")
                restore_patient(patient.pk, by=None, source="portal")
        finally:
            connection.close()

    with ThreadPoolExecutor() as threads:
        workers = [threads.submit(work) for _ in range(3)]
        try:
            answers = [reconcile() for _ in range(3)]
        finally:
            stopping.set()
        for worker in workers:
            worker.result()
    assert [(answer.code, answer.report["byKind"]) for answer in answers] == [(0, {})] * 3
    assert next(done) > 20
    assert reconcile().code == 0


def test_what_waits_for_the_relay_is_shown_and_no_difference(system):
    before = reconcile().store("outbox")["changes"]
    system.relay.signal(signal.SIGSTOP)
    try:
        change(register(), city="Leeds")
        answer = reconcile(patience=0.5)
    finally:
        system.relay.signal(signal.SIGCONT)
    assert (answer.code, before) == (0, 0)
    assert (answer.store("outbox")["changes"], answer.store("billing")["waiting"]) == (2, 1)


def test_what_analytics_reads_late_is_no_difference(system, monkeypatch):
    monkeypatch.setattr("portal.reconciliation.confirmation.CHUNK", 2)
    system.analytics.popen.send_signal(signal.SIGSTOP)
    try:
        for _ in range(5):
            register()
        with ThreadPoolExecutor() as threads:
            answer = threads.submit(reconciled_elsewhere)
            wait_for(
                lambda: ReconcileReport.objects.filter(
                    status="running", step__startswith="reading topic"
                ).exists()
            )
            system.analytics.popen.send_signal(signal.SIGCONT)
            assert answer.result().code == 0
    finally:
        system.analytics.popen.send_signal(signal.SIGCONT)


def reconciled_elsewhere():
    try:
        return reconcile()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("store", "setting", "value"),
    [
        ("topic", "KAFKA_BOOTSTRAP_SERVERS", [CLOSED]),
        ("topic", "KAFKA_TOPIC_PATIENT", "nobody-made-this"),
        ("analytics", "ANALYTICS_URL", f"http://{CLOSED}"),
        ("billing", "BILLING_GRPC_ADDRESS", CLOSED),
    ],
)
def test_a_store_that_is_away_is_named_and_the_others_are_compared(
    system, settings, store, setting, value
):
    setattr(settings, setting, value)
    answer = reconcile()
    assert (answer.code, answer.report["verdict"]) == (2, "failed")
    assert {name: answer.store(name)["differences"] for name in ALL_STORES} == dict.fromkeys(
        ALL_STORES, 0
    ) | {store: None}
    assert answer.report["message"] == answer.store(store)["note"]


def test_a_difference_shows_even_where_another_store_is_away(system, settings):
    patient = register()
    assert reconcile().code == 0
    execute_sql(
        "UPDATE billing_billingaccount SET account_id = 'BA-0' WHERE patient_id = %s", patient.pk
    )
    settings.ANALYTICS_URL = f"http://{CLOSED}"
    answer = reconcile(patience=0.5)
    assert (answer.code, answer.kinds_of(patient.pk)) == (1, {"other-account"})
    assert reconcile("--repair", patience=0.5).report["repaired"]
    wait_for(lambda: not reconcile(patience=0.5).report["byKind"])


def test_messages_of_others_on_the_topic_are_counted_and_harmless(system):
    patient = register()
    assert reconcile().code == 0
    event = encode(PatientEvent.objects.get(pgh_obj_id=patient.pk), None, include_contact=False)
    other_key = ("anybody", event.value)  # Under another key its order means nothing.
    system.send(
        current_settings.KAFKA_TOPIC_PATIENT,
        ("anybody", b"no event"),
        (str(patient.pk), b""),
        other_key,
    )
    answer = reconcile()
    assert answer.code == 0
    assert "3 not ours" in answer.store("topic")["note"]


def test_on_a_broker_that_keeps_a_window_analytics_is_the_proof(system, settings):
    register()
    assert reconcile().code == 0
    settings.KAFKA_TOPIC_PATIENT = "emptied"
    system.send("emptied", ("anybody", b"no event"))
    settings.KAFKA_WINDOW_BYTES = 3_000_000
    answer = reconcile()
    assert (answer.code, answer.report["byKind"]) == (0, {})
    assert (
        "not kept by the broker, for which analytics is the proof" in answer.store("topic")["note"]
    )
    settings.KAFKA_WINDOW_BYTES = 0
    assert set(reconcile(patience=0.5).report["byKind"]) == {"not-sent"}


def test_a_topic_that_is_being_filled_again_waits(system, settings):
    register()
    assert reconcile().code == 0
    settings.KAFKA_TOPIC_PATIENT = "refilled"
    system.send("refilled", ("anybody", b"no event"))
    TopicRefill.objects.create(topic="refilled", up_to_event_id=0)
    assert reconcile(patience=0.5).code == 0


def test_a_single_check_runs_at_a_time(system):
    with (
        workspace(),
        pytest.raises(CommandError, match="Another reconciliation is running") as refused,
    ):
        call_command("reconcile")
    assert refused.value.returncode == 2
    assert reconcile().code == 0


def test_a_killed_check_stops_no_other(system):
    system.analytics.popen.send_signal(signal.SIGSTOP)  # It will not get further than this.
    try:
        command = [sys.executable, "manage.py", "reconcile"]
        env = environment(ANALYTICS_URL=current_settings.ANALYTICS_URL)
        with subprocess.Popen(command, cwd=ROOT, env=env, stderr=subprocess.DEVNULL) as killed:
            wait_for(lambda: ReconcileReport.objects.filter(status="running").exists())
            os.kill(killed.pid, signal.SIGKILL)
    finally:
        system.analytics.popen.send_signal(signal.SIGCONT)
    wait_for(lambda: not lock_is_held())
    assert reconcile().code == 0
    assert not ReconcileReport.objects.filter(status="running").exists()
    assert (
        ReconcileReport.objects.filter(
            status="failed", message__startswith="It was cut off"
        ).count()
        == 1
    )


def test_a_session_that_is_ended_in_the_middle_gives_no_proof(system):
    system.analytics.popen.send_signal(signal.SIGSTOP)
    try:
        with ThreadPoolExecutor() as threads:
            answer = threads.submit(reconciled_elsewhere)
            wait_for(
                lambda: ReconcileReport.objects.filter(
                    status="running", step__startswith="reading topic"
                ).exists()
            )
            execute_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'reconcile'"
            )
            system.analytics.popen.send_signal(signal.SIGCONT)
            assert (answer.result().code, answer.result().report["verdict"]) == (2, "failed")
    finally:
        system.analytics.popen.send_signal(signal.SIGCONT)
    assert "went away" in answer.result().report["message"]
    assert reconcile().code == 0


def lock_is_held() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
        return cursor.fetchone()[0] > 0


def test_as_text_it_names_stores_and_says_what_to_do(system, capsys):
    patient = register()
    assert reconcile().code == 0
    execute_sql(
        "UPDATE billing_billingaccount SET account_id = 'BA-0' WHERE patient_id = %s", patient.pk
    )
    with pytest.raises(SystemExit) as ended:
        call_command("reconcile", "--patience=0.5")
    text = capsys.readouterr().out
    assert ended.value.code == 1
    assert f"billing: The account at billing has another number. {patient.pk}" in text
    assert "Run the repair." in text
    reconcile("--repair", patience=0.5)
    assert wait_for(lambda: reconcile(patience=0.5).code == 0)


def test_no_name_is_in_a_report_or_a_log(system, caplog):
    patient = register(family_name="Unmistakable", email="unmistakable@example.org")
    assert reconcile().code == 0
    execute_sql(
        "UPDATE billing_billingaccount SET account_id = 'BA-0' WHERE patient_id = %s", patient.pk
    )
    answer = reconcile("--repair", patience=2)
    assert answer.report["repaired"]
    assert "nmistakable" not in f"{answer.report}{caplog.text}"
    assert str(patient.pk) in caplog.text
