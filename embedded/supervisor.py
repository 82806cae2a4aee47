"""Keeps a server running: when it ends it is started again, on the same data and at the same address."""

import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import IO, Generic, Protocol, TypeVar

from embedded.backoff import Pauses

LOOK_SECONDS = 0.1


class Running(Protocol):
    """A server that was started."""

    @property
    def pid(self) -> int: ...


Server = TypeVar("Server", bound=Running)


class Keeper(Generic[Server]):
    """One server in a thread of its own. `run` starts it for a block, each time with the same address."""

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
        self._thread = threading.Thread(target=self._keep, name=name)

    def start(self) -> None:
        self._thread.start()

    def server(self) -> Server:
        """What was started first, once it is ready. Raises what its start raised; then nothing is tried again."""
        return self._first.result()

    def end(self) -> None:
        """Returns when the server is gone."""
        self._ending.set()
        if self._thread.is_alive():  # An interrupt may come before it was started.
            self._thread.join()

    def _keep(self) -> None:
        pauses = Pauses()
        while not self._ending.is_set():
            began = time.monotonic()
            try:
                what = self._serve()
            except Exception as reason:
                if not self._first.done():
                    self._first.set_exception(reason)
                    return
                what = str(reason).partition("\n")[0]  # What follows stands in the log.
            if self._ending.is_set():
                return
            pause = pauses.after(time.monotonic() - began)
            self._say(f"{what.rstrip(':')}; it starts again in {pause:g} s")
            self._ending.wait(pause)

    def _serve(self) -> str:
        """Run it until it ends, or until we shall; answers how that went."""
        with self._run() as server:
            if self._first.done():
                self._say(f"{self._name} runs again")
            else:
                self._first.set_result(server)
            while (code := exit_code(server.pid)) is None and not self._ending.wait(LOOK_SECONDS):
                pass
        return f"{self._name} ended with code {code}"

    def _say(self, line: str) -> None:
        print(line, file=self._output, flush=True)


def exit_code(pid: int) -> int | None:
    """Of a child that has ended; minus the signal when one killed it. None while it runs. It is not buried yet."""
    end = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG)
    if end is None:
        return None
    return end.si_status if end.si_code == os.CLD_EXITED else -end.si_status
