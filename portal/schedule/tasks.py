"""Celery imports this module at the start of the worker, and with it what runs beside its pool."""

from portal.schedule import job_poller as job_poller
from portal.schedule import scheduler as scheduler
from portal.schedule import worker_beat as worker_beat
