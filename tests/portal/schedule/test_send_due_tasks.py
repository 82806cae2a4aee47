"""The scheduler sends each recurring task when it is due, and notes that it runs."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from kombu.exceptions import OperationalError as QueueAway

from portal import health
from portal.celery import app
from portal.jobs import Busy
from portal.schedule import job_poller
from portal.schedule.models import ScheduledTask
from portal.schedule.services import send_due_tasks
from portal.schedule.timetable import TIMETABLE, WAITING_JOB_TASKS

pytestmark = pytest.mark.django_db


class Queue:
    """Takes tasks while it is there, and remembers their names and options."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.options: list[dict] = []
        self.is_away = False

    def send(self, task: str, **options) -> None:
        if self.is_away:
            raise QueueAway
        self.sent.append(task)
        self.options.append(options)


@pytest.fixture
def queue():
    return Queue()


def turn_back(hours: float) -> None:
    """Makes it so long ago that every task was sent, and that the scheduler looked."""
    then = timezone.now() - timedelta(hours=hours)
    ScheduledTask.objects.update(sent_at=then, checked_at=then)


def test_a_new_timetable_sends_nothing_at_once(queue):
    assert send_due_tasks(queue.send) == []


def test_each_task_is_sent_once_when_its_time_has_come(queue):
    send_due_tasks(queue.send)
    turn_back(hours=25)
    send_due_tasks(queue.send)
    send_due_tasks(queue.send)
    assert sorted(queue.sent) == sorted(TIMETABLE)


def test_a_task_that_waits_too_long_is_dropped_by_the_worker(queue):
    send_due_tasks(queue.send)
    turn_back(hours=25)
    send_due_tasks(queue.send)
    assert {"retry": False, "expires": 50} in queue.options


def test_a_task_that_the_queue_did_not_take_stays_due(queue):
    """Celery's own beat counts it as sent: one night's reconciliation would be left out."""
    send_due_tasks(queue.send)
    turn_back(hours=25)
    queue.is_away = True
    assert send_due_tasks(queue.send) == []
    queue.is_away = False
    assert "reconciliation.check" in send_due_tasks(queue.send)


@pytest.mark.django_db(transaction=True)
def test_of_several_workers_one_sends_what_is_due(queue):
    """Fails without the lock: each worker has a scheduler, and two would send the same task."""
    send_due_tasks(queue.send)
    turn_back(hours=25)

    def send(task: str, **options) -> None:
        queue.send(task, **options)
        with ThreadPoolExecutor(1) as other_worker, pytest.raises(Busy):
            other_worker.submit(_send_and_close, queue).result()

    send_due_tasks(send)
    assert sorted(queue.sent) == sorted(TIMETABLE)


def _send_and_close(queue: Queue) -> None:
    try:
        send_due_tasks(queue.send)
    finally:
        connection.close()


def test_a_nightly_task_is_sent_in_the_night_of_the_clinic(settings):
    assert app.conf.timezone == settings.TIME_ZONE


def test_a_clock_that_was_put_back_keeps_no_task_waiting(queue):
    send_due_tasks(queue.send)
    turn_back(hours=-48)
    send_due_tasks(queue.send)
    turn_ahead = ScheduledTask.objects.filter(sent_at__gt=timezone.now())
    assert not turn_ahead.exists()


def test_a_task_that_is_no_longer_in_the_timetable_is_forgotten(queue):
    ScheduledTask.objects.create(name="patients.long_gone")
    send_due_tasks(queue.send)
    assert not ScheduledTask.objects.filter(name="patients.long_gone").exists()


@pytest.mark.parametrize(("seconds_ago", "ok"), [(0, True), (20, True), (40, False)])
def test_readiness_tells_whether_the_scheduler_beats(queue, seconds_ago, ok):
    send_due_tasks(queue.send)
    turn_back(hours=seconds_ago / 3600)
    check = health.check_scheduler()
    assert (check.ok, round(check.figures["beatAgeSeconds"])) == (ok, seconds_ago)


def test_a_scheduler_that_never_ran_is_away():
    assert not health.check_scheduler().ok


def test_the_age_of_the_beat_is_a_metric(queue, client):
    send_due_tasks(queue.send)
    turn_back(hours=1)
    text = client.get("/metrics", SERVER_PORT="4003").content.decode()
    [line] = [ln for ln in text.splitlines() if ln.startswith("portal_scheduler_beat_age_seconds")]
    assert 3600 <= float(line.split()[1]) < 3700


def test_the_worker_finds_waiting_jobs_without_the_scheduler(monkeypatch):
    queue = Queue()
    monkeypatch.setattr(app, "send_task", queue.send)
    job_poller.poll_waiting_jobs(app)
    assert queue.sent == [
        "duplicates.run_scans",
        "imports.resume_waiting",
        "reconciliation.run_waiting",
    ]
    assert not set(queue.sent) & set(TIMETABLE)


def test_every_task_that_is_sent_is_known_to_the_worker():
    app.loader.import_default_modules()
    app.autodiscover_tasks(force=True)
    tasks = [entry["task"] for entry in TIMETABLE.values()]
    assert {*tasks, *WAITING_JOB_TASKS} <= set(app.tasks)
