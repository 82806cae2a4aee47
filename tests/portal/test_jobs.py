"""Background jobs: one process at a time, none lost with a queue, and each step shown at once."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import pytest
from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction
from kombu.exceptions import OperationalError as QueueAway

from portal.celery import app
from portal.jobs import Busy, advisory_lock, nudge, run_jobs, step_recorder
from portal.patients.models import DuplicateScan

LOCK = 7_061_128


def is_free_for_others() -> bool:
    """Returns whether another database session gets the lock now."""

    def try_lock() -> bool:
        try:
            with advisory_lock(LOCK):
                return True
        except Busy:
            return False
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as other:
        return other.submit(try_lock).result(60)


@pytest.fixture
def sent(monkeypatch):
    """The messages that went to the queue: tasks with their arguments."""
    messages = []

    def send(task, *, args, expires, retry):
        messages.append((task, *args))

    monkeypatch.setattr(app, "send_task", send)
    return messages


@pytest.mark.django_db(transaction=True)
def test_while_a_session_holds_the_lock_another_one_is_busy():
    with advisory_lock(LOCK):
        assert not is_free_for_others()
    assert is_free_for_others()


@pytest.mark.django_db(transaction=True)
def test_an_error_gives_the_lock_back():
    with pytest.raises(ZeroDivisionError), advisory_lock(LOCK):
        raise ZeroDivisionError
    assert is_free_for_others()


@pytest.mark.django_db(transaction=True)
def test_a_session_that_broke_gives_the_lock_back():
    session = connections.create_connection(DEFAULT_DB_ALIAS)
    with advisory_lock(LOCK, session=session):
        session.connection.close()
    assert is_free_for_others()


@pytest.mark.django_db(transaction=True)
def test_a_lock_is_given_back_even_in_a_transaction_that_failed():
    """Red when the unlocking, which such a transaction refuses, is only suppressed."""
    session = connections.create_connection(DEFAULT_DB_ALIAS)
    with advisory_lock(LOCK, session=session):
        session.cursor().execute("BEGIN")
        with pytest.raises(Exception, match="division by zero"):
            session.cursor().execute("SELECT 1 / 0")
    assert is_free_for_others()


@pytest.mark.django_db
def test_a_nudge_goes_out_after_the_commit(sent, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        nudge("imports.run_import", "id-1")
        assert sent == []
    assert sent == [("imports.run_import", "id-1")]


@pytest.mark.django_db(transaction=True)
def test_a_nudge_outside_of_a_transaction_goes_out_at_once(sent):
    nudge("duplicates.run_scans")
    assert sent == [("duplicates.run_scans",)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", [QueueAway, ConnectionRefusedError])
def test_a_nudge_that_finds_no_queue_harms_nobody(monkeypatch, error):
    def refuse(*_, **__):
        raise error

    monkeypatch.setattr(app, "send_task", refuse)
    nudge("duplicates.run_scans")


def finish(scan, _held):
    DuplicateScan.objects.filter(pk=scan.pk).update(ended_at="2026-11-28T12:00Z")


@pytest.mark.django_db(transaction=True)
def test_waiting_jobs_run_under_the_lock_oldest_first():
    asked = [DuplicateScan.objects.create().pk for _ in range(2)]
    ran = []

    def run(scan, held):
        ran.append((scan.pk, is_free_for_others()))
        finish(scan, held)

    waiting = DuplicateScan.objects.filter(ended_at=None).order_by("pk")
    assert run_jobs(waiting, lock=advisory_lock(LOCK), run=run) == 2
    assert ran == [(pk, False) for pk in asked]
    assert is_free_for_others()


@pytest.mark.django_db
def test_a_job_gets_what_its_lock_gives():
    DuplicateScan.objects.create()
    waiting = DuplicateScan.objects.filter(ended_at=None).order_by("pk")
    held = []

    def run(scan, workspace):
        held.append(workspace)
        finish(scan, workspace)

    run_jobs(waiting, lock=nullcontext("workspace"), run=run)
    assert held == ["workspace"]


@pytest.mark.django_db(transaction=True)
def test_waiting_jobs_are_left_to_the_process_that_is_at_work():
    DuplicateScan.objects.create()
    waiting = DuplicateScan.objects.filter(ended_at=None).order_by("pk")

    def run_elsewhere() -> int:
        try:
            return run_jobs(waiting, lock=advisory_lock(LOCK), run=finish)
        finally:
            connection.close()

    with advisory_lock(LOCK), ThreadPoolExecutor(1) as other:
        assert other.submit(run_elsewhere).result(60) == 0
    assert waiting.count() == 1


@pytest.mark.django_db
def test_a_step_is_written_to_the_job_and_passed_on():
    scan, steps = DuplicateScan.objects.create(), []
    step_recorder(scan, steps.append)("phones")
    assert (DuplicateScan.objects.get().step, steps) == ("phones", ["phones"])
