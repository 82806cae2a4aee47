"""The events loop of the relay."""

from portal.events.producer import KafkaSender
from portal.events.services import BATCH, Sender, deliver_waiting
from portal.loops import Round


class EventsLoop:
    """Empties the outbox onto the topic, a batch each round."""

    def __init__(self, sender: Sender | None = None) -> None:
        self._sender = sender or KafkaSender()

    def step(self, fence: int) -> Round:
        count = deliver_waiting(self._sender, fence=fence)
        return Round.MORE if count >= BATCH else Round.DONE if count else Round.IDLE

    def close(self) -> None:
        if isinstance(self._sender, KafkaSender):
            self._sender.close()
