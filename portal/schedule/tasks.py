"""Celery imports this module at the start of the worker, and with it the worker's poller."""

from portal.schedule import job_poller as job_poller
