"""A real relay that stops itself by SIGSTOP the first time it comes to a point, which its argument names.

The points lie in arguments and around the libraries' calls; the relay itself is as it always is.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
django.setup()

from django.db import connection  # noqa: E402
from kafka.net.compat import KafkaNetClient  # noqa: E402
from kafka.protocol.producer import ProduceRequest  # noqa: E402

from portal.billing.client import BillingClient  # noqa: E402
from portal.billing.loop import BillingLoop  # noqa: E402
from portal.events import services  # noqa: E402
from portal.events.deadline_client import DeadlineClient  # noqa: E402
from portal.events.encoding import Message  # noqa: E402
from portal.events.loop import EventsLoop  # noqa: E402
from portal.events.producer import Delivery, KafkaSender  # noqa: E402
from portal.events.relay import Relay  # noqa: E402

SHORT = 2.0
_slept: list[bool] = []


def sleep() -> None:
    if not _slept:
        _slept.append(True)
        # To this thread: one that is sent to the process lets us run on until another thread has taken it.
        signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)


class SleepySender:
    """Stops before the wave of that number, or after it."""

    def __init__(self, *, before: int = -1, after: int = -1) -> None:
        self.real, self.number, self.sleep_before, self.sleep_after = (
            KafkaSender(),
            -1,
            before,
            after,
        )

    def deliver(self, messages: Sequence[Message], *, before: float) -> Delivery:
        self.number += 1
        if self.number == self.sleep_before:
            sleep()
        delivery = self.real.deliver(messages, before=before)
        if self.number == self.sleep_after:
            sleep()
        return delivery


class SleepyBillingClient(BillingClient):
    """Stops before it calls, and after billing has answered."""

    def __init__(self, *, before: bool) -> None:
        super().__init__()
        self.before = before

    def open_accounts(self, *details: Any) -> Any:
        if self.before:
            sleep()
        opened = super().open_accounts(*details)
        sleep()
        return opened


def sleep_before(owner: Any, name: str, when: Callable[..., bool] = lambda *_, **__: True) -> None:
    real = getattr(owner, name)

    @wraps(real)
    def sleepy(*args: Any, **kwargs: Any) -> Any:
        if when(*args, **kwargs):
            sleep()
        return real(*args, **kwargs)

    setattr(owner, name, sleepy)


def is_produce(_self: Any, _node: int, request: Any, **_: Any) -> bool:
    return isinstance(request, ProduceRequest)


def relay(point: str) -> Relay:
    events: Callable[[], Any] = lambda: EventsLoop(KafkaSender())  # noqa: E731
    if point == "before the send":
        events = lambda: EventsLoop(SleepySender(before=0))  # noqa: E731
    elif point == "between two waves":
        events = lambda: EventsLoop(SleepySender(after=0))  # noqa: E731
    elif point == "before the second wave":
        events = lambda: EventsLoop(SleepySender(before=1))  # noqa: E731
    elif point == "between the send and the settling":
        events = lambda: EventsLoop(SleepySender(after=2))  # noqa: E731
    elif point == "in the producer":
        sleep_before(DeadlineClient, "send", is_produce)
    elif point == "on the way to the socket":
        sleep_before(KafkaNetClient, "send", is_produce)
    elif point == "while it settles":
        sleep_before(services, "record_receipts")
    elif point.startswith("billing"):
        client = SleepyBillingClient(before=point == "billing, before the call")
        return Relay({"billing": lambda: BillingLoop(client)}, lease_seconds=SHORT)
    else:
        raise SystemExit(f"No such point: {point}")
    return Relay({"events": events}, lease_seconds=SHORT)


if __name__ == "__main__":
    running = relay(sys.argv[1])
    signal.signal(signal.SIGTERM, lambda *_: running.stopping.set())
    connection.close()
    sys.exit(0 if running.run() else 1)
