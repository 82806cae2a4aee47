"""Starts a server again when it ends, on the same data and at the same address."""

import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import IO, Generic, Protocol, TypeVar

from embedded.backoff import Backoff

POLL_SECONDS = 0.1  # Between two looks whether the server still runs.


class Running(Protocol):
    """A server that was started."""

    @property
    def pid(self) -> int: ...


Server = TypeVar("Server", bound=Running)


class Supervisor(Generic[Server]):
    """Supervises a server in a thread. `run` starts it for a block, always at the same address."""

    def __init__(
        self,
        name: str,
        run: Callable[[], AbstractContextManager[Server]],
        *,
        output: IO[str] = sys.stderr,
    ):
        self._name, self._run, self._output = name, run, output
        self._first: Future[Server] = Future()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._supervise, name=name)

    def start(self) -> None:
        self._thread.start()

    def server(self) -> Server:
        """Returns the first server once it is ready.

        Raises the error of its start; then it is not started again.
        """
        return self._first.result()

    def end(self) -> None:
        """Ends the server and returns when it is gone."""
        self._ending.set()
        if self._thread.is_alive():  # An interrupt may come before the thread was started.
            self._thread.join()

    def _supervise(self) -> None:
        backoff = Backoff()
        while not self._ending.is_set():
            began = time.monotonic()
            try:
                outcome = self._serve()
            except Exception as error:
                if not self._first.done():
                    self._first.set_exception(error)
                    return
                outcome = str(error).partition("\n")[0]  # The rest is in the log.
            if self._ending.is_set():
                return
            pause = backoff.next_pause(time.monotonic() - began)
            self._print(f"{outcome.rstrip(':')}; it starts again in {pause:g} s")
            self._ending.wait(pause)

    def _serve(self) -> str:
        """Runs the server until it ends, or until `end` is called, and returns how it ended."""
        with self._run() as server:
            if self._first.done():
                self._print(f"{self._name} runs again")
            else:
                self._first.set_result(server)
            while (code := exit_code(server.pid)) is None and not self._ending.wait(POLL_SECONDS):
                pass
        return f"{self._name} ended with code {code}"

    def _print(self, line: str) -> None:
        print(line, file=self._output, flush=True)


def exit_code(pid: int) -> int | None:
    """Returns the exit code of a child, or minus the signal that killed it; None while it runs.

    The child stays a zombie until it is waited for.
    """
    end = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG)
    if end is None:
        return None
    return end.si_status if end.si_code == os.CLD_EXITED else -end.si_status
