"""The web server as it really runs, on free ports, without a database."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from embedded.environment import ROOT
from embedded.programs import pick_free_port
from tests.waits import wait_for

PLAIN_GET = b"GET /sign-in/ HTTP/1.1\r\nHost: localhost\r\n"


@dataclass(frozen=True)
class WebServer:
    """The ports of a running server, and its process."""

    port: int
    internal_port: int
    process: subprocess.Popen

    def get(self, path: str, *, internal: bool = False, **options) -> httpx.Response:
        port = self.internal_port if internal else self.port
        options.setdefault("timeout", 30)
        return httpx.get(f"http://127.0.0.1:{port}{path}", trust_env=False, **options)

    def connect(self, *, internal: bool = False) -> socket.socket:
        port = self.internal_port if internal else self.port
        return socket.create_connection(("127.0.0.1", port), timeout=60)


@contextmanager
def running_web_server(data: Path, *, before: str = "", **variables: str) -> Iterator[WebServer]:
    """Runs the server for the block, in a mount namespace with the shell's work `before`, if any.

    That needs root.
    """
    ports = pick_free_port(), pick_free_port()
    environment = {
        **os.environ,
        "PORTAL_PORT": str(ports[0]),
        "PORTAL_INTERNAL_PORT": str(ports[1]),
        "PORTAL_DATA_DIR": str(data),
        **variables,
    }
    command = [sys.executable, "-m", "gunicorn", "-c", "portal/gunicorn.py", "portal.wsgi"]
    if before:
        command = ["unshare", "--mount", "sh", "-ec", f'{before}\nexec "$@"', "sh", *command]
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    server = WebServer(*ports, process)
    try:
        wait_for(lambda: _is_live(server), seconds=60)
        yield server
    finally:
        process.terminate()
        process.wait(30)


def _is_live(server: WebServer) -> bool:
    with suppress(httpx.TransportError):
        return server.get("/health/live", internal=True).status_code == 200
    return False
