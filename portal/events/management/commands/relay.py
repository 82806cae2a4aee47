"""`manage.py relay`: carry events to Kafka and accounts to billing until told to stop."""

import gc
import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal.events.relay import Relay
from portal.relay_loops import registered_loops

COLLECTED_OBJECTS = 50_000  # Made between two collections of garbage; 1,000 events make half of it.


class Command(BaseCommand):
    # The checks load every page and API, 20 MB that a relay never uses.
    requires_system_checks: tuple[str, ...] = ()
    help = (
        "Carry events to Kafka and billing requests to billing. "
        "Several may run: one leads, the others stand by."
    )

    def handle(self, *_: Any, **__: Any) -> None:
        relay = Relay(registered_loops())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: relay.stopping.set())
        gc.freeze()  # Collections need not look through all that was loaded.
        gc.set_threshold(COLLECTED_OBJECTS)
        if not relay.run():
            raise CommandError("A loop of the relay died. Start the relay again.")
