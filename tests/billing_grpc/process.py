"""The server as a real process."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL

from tests.billing_grpc.database import dsn_of
from tests.waits import wait_for


class Process:
    """A running `python -m billing_grpc serve`."""

    def __init__(self, popen: subprocess.Popen[bytes], log: Path) -> None:
        self.popen = popen
        self._log = log

    @property
    def port(self) -> int:
        wait_for(lambda: self.popen.poll() is not None or self.lines("listening"))
        return self.lines("listening")[0]["port"]

    def lines(self, event: str) -> list[dict[str, Any]]:
        return [
            line for line in map(json.loads, self.text().splitlines()) if line["event"] == event
        ]

    def text(self) -> str:
        """The log up to the last whole line."""
        return self._log.read_text().rpartition("\n")[0]

    def end(self) -> int:
        self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(30)


@contextmanager
def running_process(url: URL, folder: Path, **environ: str) -> Iterator[Process]:
    log = folder / "billing.log"
    with log.open("wb") as lines:
        popen = subprocess.Popen(
            command("serve"), env=environment(url, BILLING_PORT="0", **environ), stderr=lines
        )
    try:
        yield Process(popen, log)
    finally:
        popen.kill()
        popen.wait()


def run_command(name: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(name), env=env, capture_output=True, text=True, check=False, timeout=60
    )


def command(name: str) -> list[str]:
    return [sys.executable, "-m", "billing_grpc", name]


def environment(url: URL | None, **more: str) -> dict[str, str]:
    """Returns what the process needs, and nothing else of our environment."""
    needed = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return needed | ({"BILLING_DATABASE_URL": dsn_of(url)} if url else {}) | more
