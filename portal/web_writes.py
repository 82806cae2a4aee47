"""Answers the plain registrations of programs in the web server's loop, after their commit.

Those that wait at the same time share one message, which is one transaction. Who cannot be decided
by it goes to Django, and so do all of a message that PostgreSQL refused. Where nobody knows whether
it committed, the answer says what Django would say.
"""

from collections import deque
from collections.abc import Sequence
from typing import Any

from portal.errors import Unavailable
from portal.gathering import Gatherer, Waiting
from portal.loop_connection import LoopConnection
from portal.patients.gathered_registrations import registration_calls
from portal.patients.json_reads import with_text
from portal.plain_answers import new_patient_answer, problem_answer
from portal.plain_registrations import PlainRegistration, read_head, registration_of
from portal.prepared import Call, Row
from portal.problems import database_away

MOST_AT_ONCE = 32  # Registrations of one message; the others wait for the next.
MOST_WAITING = 1000  # More are told to come again.
AGAIN_SECONDS = 2  # After which they may.


class RegistrationsBatch:
    """Registrations of one message."""

    def __init__(self, requests: Sequence[PlainRegistration]) -> None:
        self._requests = requests

    def calls(self) -> Sequence[Call]:
        return registration_calls([request.registration for request in self._requests])

    def answers(self, rows: Sequence[Row]) -> list[bytes | None]:
        written = {str(row[0]): with_text(row) for row in rows}
        return [
            new_patient_answer(request, *row)
            if (row := written.get(str(request.registration.patient_id)))
            else None
            for request in self._requests
        ]


class WebWrites(Gatherer):
    """The registrations of one port."""

    # The server gives up first: then it is certain that nothing was written.
    settings = """
        SET lock_timeout = '1s'; SET statement_timeout = '5s'; SET jit = off;
        SET max_parallel_workers_per_gather = 0;
    """

    def take(self, channel: Any, data: bytes) -> bool:
        """Takes what a client has sent, if it is a plain registration, or one without its end."""
        head = read_head(data, channel)
        if head is None:
            return False
        if self._connection is None:
            self.connect()
            return False
        if head.lacks_bytes:
            channel.held = data
            return True
        self._helper.read_early(head.known)
        request = registration_of(head, data)
        if request is None or not channel.wait_for(request):
            return False
        if len(self._waiting) >= MOST_WAITING:
            error = Unavailable(
                "Too many patients are being registered at this moment. Nothing was written: try "
                "again in a moment.",
                retryAfter=AGAIN_SECONDS,
            )
            self._answer([(channel, request)], [problem_answer(request, error)])
        else:
            self._waiting.append((channel, request))
        return True

    def _send(self, connection: LoopConnection) -> None:
        group = self._next_group()
        self._execute(connection, group, RegistrationsBatch([request for _, request in group]))

    def _next_group(self) -> list[Waiting]:
        """Returns registrations of different people with different identifiers.

        Who waits for the next message is compared with those of this one then.
        """
        group, later = list[Waiting](), deque[Waiting]()
        claimed = set[str]()
        for waiting in self._waiting:
            claims = waiting[1].registration.claims
            if len(group) == MOST_AT_ONCE or not claimed.isdisjoint(claims):
                later.append(waiting)
            else:
                claimed |= claims
                group.append(waiting)
        self._waiting = later
        return group

    def _after_failure(
        self, connection: LoopConnection, request: PlainRegistration
    ) -> bytes | None:
        if connection.has_rolled_back:
            return None
        return problem_answer(request, database_away())
