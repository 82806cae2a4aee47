"""Answers the plain reads of programs in the web server's loop, without a thread for each.

Everything else, above all every error, goes to Django: a request that is not plain, a patient who
is not there, a database that does not answer.
"""

from typing import Any

from portal.gathering import Gatherer, Helper
from portal.loop_connection import LoopConnection
from portal.plain_answers import good_token_answer
from portal.plain_requests import recognise
from portal.plain_searches import recognise_search
from portal.read_batches import PageBatch, PageMoment, PatientsBatch

MOST_AT_ONCE = 64  # Reads of one statement; the others wait for the next.


class WebReads(Gatherer):
    """The reads of one port."""

    def __init__(self, loop_map: dict[int, Any], helper: Helper) -> None:
        super().__init__(loop_map, helper)
        self._moment = PageMoment()

    def take(self, channel: Any, data: bytes) -> bool:
        """Takes what a client has sent, if it is a plain read that can be answered here."""
        read = recognise(data, channel)
        if read is None:
            return self._take_search(channel, data)
        self._helper.read_early(read.known)
        if read.is_token_check:
            if channel.wait_for(read):
                self._answer([(channel, read)], [good_token_answer(read)])
                return True
        elif self._connection is None:
            self.connect()
        elif channel.wait_for(read):
            self._waiting.append((channel, read))
            return True
        return False

    def _take_search(self, channel: Any, data: bytes) -> bool:
        """Gives a plain search to a thread: it asks the database several times."""
        search = recognise_search(data, channel)
        if search is None:
            return False
        self._helper.read_early(search.known)
        is_taken: bool = channel.wait_for(search)
        if is_taken:
            channel.ask_thread()
        return is_taken

    def _send(self, connection: LoopConnection) -> None:
        limit = self._waiting[0][1].limit
        if limit and not self._moment.is_fresh():
            self._execute(connection, [], self._moment)
            return
        same = [waiting for waiting in self._waiting if waiting[1].limit == limit][:MOST_AT_ONCE]
        for waiting in same:
            self._waiting.remove(waiting)
        reads = [read for _, read in same]
        batch = PageBatch(reads, self._moment) if limit else PatientsBatch(reads)
        self._execute(connection, same, batch)
