"""The processes of the Procfile: started, printed side by side, started again when one ends, and ended together.

Honcho reads the file and prints the lines. Its own manager is not used: it ends everything as soon as one process
ends, and here a killed process has to come back.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from honcho.colour import get_colours
from honcho.environ import parse_procfile
from honcho.printer import Message, Printer

from embedded.backoff import Pauses


class Processes:
    """Every line of a Procfile, each one command, as a running program."""

    def __init__(
        self,
        procfile: Path,
        environment: Mapping[str, str],
        *,
        output: IO[str] = sys.stdout,
        pauses: Callable[[], Pauses] = Pauses,
    ) -> None:
        commands = parse_procfile(procfile.read_text()).processes
        self._folder = procfile.resolve().parent
        self._environment = dict(environment)
        self._pauses = pauses
        self._printer = Printer(output, width=max(map(len, commands), default=0))
        self._printing = threading.Lock()
        self._ending = threading.Event()
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._keepers = [
            threading.Thread(target=self._keep, args=(name, command, colour), name=name)
            for (name, command), colour in zip(commands.items(), get_colours(), strict=False)
        ]

    def start(self) -> None:
        for keeper in self._keepers:
            keeper.start()

    def pids(self) -> dict[str, int]:
        """The process id of each line that runs now."""
        return {name: process.pid for name, process in list(self._running.items())}

    def end(self, *, patience_seconds: float = 20) -> None:
        """Ask all of them at once with SIGTERM, then insist. Returns when they and their children are gone."""
        self._ending.set()
        deadline = time.monotonic() + patience_seconds
        for process in list(self._running.values()):
            _signal(process, signal.SIGTERM)
        for keeper in self._keepers:
            keeper.join(max(0.0, deadline - time.monotonic()))
        for process in list(self._running.values()):
            _signal_group(process)
        for keeper in self._keepers:
            keeper.join()

    def _keep(self, name: str, command: str, colour: str) -> None:
        pauses = self._pauses()
        while not self._ending.is_set():
            began = time.monotonic()
            code = self._run(name, command, colour)
            if self._ending.is_set():
                return
            pause = pauses.after(time.monotonic() - began)
            self._print(
                name, colour, f"ended with code {code}, starts again in {pause:g} s".encode()
            )
            self._ending.wait(pause)

    def _run(self, name: str, command: str, colour: str) -> int:
        process = subprocess.Popen(
            ["/bin/sh", "-c", f"exec {command}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self._folder,
            env=self._environment,
            start_new_session=True,
        )
        self._running[name] = process
        if self._ending.is_set():  # It slipped in between the decision to end and the signals.
            _signal(process, signal.SIGTERM)
        printing = threading.Thread(target=self._print_lines, args=(name, colour, process.stdout))
        printing.start()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        _signal_group(process)  # What it left behind would stand in the way of its successor.
        code = process.wait()
        printing.join()
        del self._running[name]
        return code

    def _print_lines(self, name: str, colour: str, lines: IO[bytes]) -> None:
        with lines:
            for line in lines:
                self._print(name, colour, line)

    def _print(self, name: str, colour: str, line: bytes) -> None:
        with self._printing:
            self._printer.write(Message("line", line, datetime.now(UTC).astimezone(), name, colour))


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)


def _signal_group(process: subprocess.Popen[bytes]) -> None:
    """Its number cannot have gone to another group yet: nobody has waited for the process."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
