"""Runs the processes of the Procfile: shows their lines, starts a process again when it ends, and
ends all together.

Honcho reads the file and prints the lines. Its own manager is not used: it ends everything as soon
as one process ends, and here a killed process has to come back.
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

from embedded.backoff import Backoff
from embedded.logs import LogFiles


class Processes:
    """The commands of a Procfile as running programs.

    `output` gets all their lines. With a folder `logs` these are in files there, and `output` gets
    warnings and errors.
    """

    def __init__(
        self,
        procfile: Path,
        environment: Mapping[str, str],
        *,
        output: IO[str] = sys.stdout,
        backoff: Callable[[], Backoff] = Backoff,
        logs: Path | None = None,
    ) -> None:
        commands = parse_procfile(procfile.read_text()).processes
        self._folder = procfile.resolve().parent
        self._environment = dict(environment)
        self._backoff = backoff
        self._logs = LogFiles(logs) if logs else None
        self._printer = Printer(output, width=max(map(len, commands), default=0))
        self._printing = threading.Lock()
        self._ending = threading.Event()
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._threads = [
            threading.Thread(target=self._supervise, args=(name, command, colour), name=name)
            for (name, command), colour in zip(commands.items(), get_colours(), strict=False)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def pids(self) -> dict[str, int]:
        """Returns the process id of each program that runs now, by its name."""
        return {name: process.pid for name, process in list(self._running.items())}

    def end(self, *, patience_seconds: float = 20) -> None:
        """Sends SIGTERM to all, and SIGKILL to those that do not end in time.

        Returns when they and their children are gone.
        """
        self._ending.set()
        deadline = time.monotonic() + patience_seconds
        for process in list(self._running.values()):
            _signal(process, signal.SIGTERM)
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        for process in list(self._running.values()):
            _kill_group(process)
        for thread in self._threads:
            thread.join()
        if self._logs:
            self._logs.close()

    def _supervise(self, name: str, command: str, colour: str) -> None:
        backoff = self._backoff()
        while not self._ending.is_set():
            began = time.monotonic()
            code = self._run(name, command, colour)
            if self._ending.is_set():
                return
            pause = backoff.next_pause(time.monotonic() - began)
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
        if self._ending.is_set():  # It was started between the decision to end and the signals.
            _signal(process, signal.SIGTERM)
        printing = threading.Thread(target=self._print_lines, args=(name, colour, process.stdout))
        printing.start()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        _kill_group(process)  # Children that it left behind would hinder its successor.
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
            if self._logs:
                self._logs.write(name, line)
                if not self._logs.is_worth_showing(name, line):
                    return
            self._printer.write(Message("line", line, datetime.now(UTC).astimezone(), name, colour))


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kills the group. Its id is still its own, because the process has not been waited for."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
