"""Celery imports this module at the start of the worker, and with it the worker's look-out."""

from portal.schedule import lookout as lookout
