"""`manage.py scheduler`: send the recurring tasks to the worker until told to stop."""

import signal
from typing import Any

from django.core.management.base import BaseCommand

from portal.schedule.scheduler import Scheduler


class Command(BaseCommand):
    # The checks load every page and API, which a scheduler never uses.
    requires_system_checks: tuple[str, ...] = ()
    help = "Send the recurring tasks to the worker when they are due. One of them is enough."

    def handle(self, *_: Any, **__: Any) -> None:
        scheduler = Scheduler()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: scheduler.stopping.set())
        scheduler.run()
