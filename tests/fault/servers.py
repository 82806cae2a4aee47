"""Servers that are killed and come back on the same data, at the same address."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from typing import Generic

from embedded.supervisor import Server, exit_code

DEATH_SECONDS = 30


class Restartable(Generic[Server]):
    """A server that can be killed and started again. `run` starts it for a block."""

    def __init__(self, run: Callable[[], AbstractContextManager[Server]]) -> None:
        self._run = run
        self._opened = ExitStack()
        self.server: Server | None = None

    def start(self) -> Server:
        """Starts the server unless it runs. Returns when it is ready."""
        if self.server is not None and exit_code(self.server.pid) is None:
            return self.server
        self.end()
        self.server = self._opened.enter_context(self._run())
        return self.server

    def end(self) -> None:
        """Ends the server in good order, if it runs."""
        self.server = None
        self._opened.close()

    def kill(self, number: signal.Signals) -> None:
        """Kills the server. Returns when it is gone."""
        if self.server is None:
            return
        with suppress(ProcessLookupError):
            os.kill(self.server.pid, number)
        deadline = time.monotonic() + DEATH_SECONDS
        while exit_code(self.server.pid) is None and time.monotonic() < deadline:
            time.sleep(0.02)
        self.end()

    @contextmanager
    def down(self, number: signal.Signals) -> Iterator[None]:
        """Kills the server and starts it after the block."""
        self.kill(number)
        try:
            yield
        finally:
            self.start()

    def pid(self) -> int:
        return self.server.pid if self.server else 0
