"""The database backend; Django looks for it under this name."""

import select

from django.db.backends.postgresql import base
from psycopg2.extensions import TRANSACTION_STATUS_INERROR


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that tells for itself whether it still lives.

    Django asks the server with a statement before each request. A server that ended a connection
    has closed the socket, which makes it readable at once.
    """

    def is_usable(self) -> bool:
        """Returns whether the connection may be used for another request."""
        raw = self.connection
        if raw is None or raw.closed or raw.info.transaction_status == TRANSACTION_STATUS_INERROR:
            return False
        poll = select.poll()
        poll.register(raw.fileno(), select.POLLIN | select.POLLERR | select.POLLHUP)
        # The server may have sent a notice, which is no end: a statement will tell.
        return super().is_usable() if poll.poll(0) else True
