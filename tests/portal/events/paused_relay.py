"""A real relay that pauses by SIGSTOP the first time it comes to a point, which the test names.

The points lie in arguments and around the libraries' calls; the relay itself is as it always is.
"""

import signal
import sys
import threading
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from django.db import connection
from kafka.net.compat import KafkaNetClient
from kafka.protocol.producer import ProduceRequest

from portal.billing.client import BillingClient
from portal.billing.loop import BillingLoop
from portal.events import services
from portal.events.deadline_client import DeadlineClient
from portal.events.deliveries import Delivery
from portal.events.encoding import Message
from portal.events.loop import EventsLoop
from portal.events.producer import KafkaSender
from portal.events.relay import Relay
from portal.relay_loops import Loop

LEASE_SECONDS = 2.0  # Short, so that another relay leads soon.
_paused = threading.Event()


def pause_once() -> None:
    if not _paused.is_set():
        _paused.set()
        # The signal goes to this thread: the process would run on until another thread took it.
        signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)


class PausingSender:
    """Pauses before the wave of that number, or after it."""

    def __init__(self, *, before: int = -1, after: int = -1) -> None:
        self.real = KafkaSender()
        self.wave = -1
        self.pause_before, self.pause_after = before, after

    def deliver(self, messages: Sequence[Message], *, before: float) -> Delivery:
        self.wave += 1
        if self.wave == self.pause_before:
            pause_once()
        delivery = self.real.deliver(messages, before=before)
        if self.wave == self.pause_after:
            pause_once()
        return delivery


class PausingBillingClient(BillingClient):
    """Pauses after billing has answered; or, on request, before it is called."""

    def __init__(self, *, before: bool) -> None:
        super().__init__()
        self.before = before

    def open_accounts(self, *details: Any) -> Any:
        if self.before:
            pause_once()
        opened = super().open_accounts(*details)
        pause_once()
        return opened


def pause_before(owner: Any, name: str, when: Callable[..., bool]) -> None:
    """Makes a function pause before it runs, when the condition holds for its arguments."""
    real = getattr(owner, name)

    @wraps(real)
    def pausing(*args: Any, **kwargs: Any) -> Any:
        if when(*args, **kwargs):
            pause_once()
        return real(*args, **kwargs)

    setattr(owner, name, pausing)


def always(*_: Any, **__: Any) -> bool:
    return True


def is_produce(_self: Any, _node: int, request: Any, **_: Any) -> bool:
    return isinstance(request, ProduceRequest)


POINTS_OF_SENDER = {
    "before the send": {"before": 0},
    "between two waves": {"after": 0},
    "before the second wave": {"before": 1},
    "between the send and its record": {"after": 2},
}
POINTS_OF_CALLS = {
    "in the producer": (DeadlineClient, "send", is_produce),
    "on the way to the socket": (KafkaNetClient, "send", is_produce),
    "while it records the delivery": (services, "record_receipts", always),
}


def new_loop(point: str) -> tuple[str, Callable[[], Loop]]:
    """Returns the name and the factory of the loop that pauses at the point."""
    if point in POINTS_OF_SENDER:
        return "events", lambda: EventsLoop(PausingSender(**POINTS_OF_SENDER[point]))
    if point in POINTS_OF_CALLS:
        pause_before(*POINTS_OF_CALLS[point])
        return "events", EventsLoop
    if point.startswith("billing"):
        client = PausingBillingClient(before=point == "billing, before the call")
        return "billing", lambda: BillingLoop(client)
    raise SystemExit(f"No such point: {point}")


def main() -> None:
    name, make = new_loop(sys.argv[1])
    relay = Relay({name: make}, lease_seconds=LEASE_SECONDS)
    signal.signal(signal.SIGTERM, lambda *_: relay.stopping.set())
    connection.close()
    sys.exit(0 if relay.run() else 1)
