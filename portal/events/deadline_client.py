"""Kafka's network client with a deadline: a process that wakes too late sends nothing."""

import time
from dataclasses import dataclass
from typing import Any

from kafka.errors import KafkaError
from kafka.future import Future
from kafka.net.compat import KafkaNetClient
from kafka.protocol.producer import ProduceRequest


class DeadlinePassed(KafkaError):
    """The lease ended before the messages left; another relay may lead by now."""


@dataclass
class Deadline:
    """A time on the monotonic clock, which goes on while the process is stopped."""

    at: float = float("-inf")


class DeadlineClient(KafkaNetClient):
    """Refuses to append after the deadline.

    The producer's own time limit does not: it sends even what it has given up.
    """

    def __init__(self, deadline: Deadline, **settings: Any) -> None:
        super().__init__(**settings)
        self._deadline = deadline

    def send(self, node_id: int, request: Any, **options: Any) -> Any:
        if isinstance(request, ProduceRequest) and time.monotonic() >= self._deadline.at:
            return Future().failure(DeadlinePassed())
        return super().send(node_id, request, **options)
