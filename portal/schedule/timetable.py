"""The recurring work: when the scheduler sends it, and what the worker looks for."""

from datetime import timedelta

from celery.schedules import crontab

# The worker sends itself these every 15 s, see portal.schedule.job_poller.
WAITING_JOB_TASKS = [
    "duplicates.run_scans",
    "imports.resume_waiting",
    "reconciliation.run_waiting",
]
# What the scheduler sends, see portal.schedule.services.
TIMETABLE = {
    "accounts.forget_ended_tokens": {
        "task": "accounts.forget_ended_tokens",
        "schedule": crontab(hour="3", minute="10"),
    },
    # A task that waited behind long imports is dropped: the next one seals its rows too.
    "audit.seal": {
        "task": "audit.seal",
        "schedule": timedelta(minutes=1),
        "options": {"expires": 50},
    },
    "patients.forget_keys": {"task": "patients.forget_keys", "schedule": crontab(minute="5")},
    "patients.forget_words": {
        "task": "patients.forget_words",
        "schedule": crontab(hour="3", minute="15"),
    },
    "duplicates.find": {"task": "duplicates.find", "schedule": crontab(hour="2", minute="0")},
    "duplicates.note_changes": {
        "task": "duplicates.note_changes",
        "schedule": timedelta(minutes=3),
        "options": {"expires": 150},
    },
    "reconciliation.check": {
        "task": "reconciliation.check",
        "schedule": crontab(hour="2", minute="30"),
    },
    "imports.forget_files": {
        "task": "imports.forget_files",
        "schedule": crontab(hour="3", minute="20"),
    },
}
