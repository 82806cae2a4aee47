"""What is uploaded waits on the disk of the data folder: /tmp is memory in the images."""

import os
from pathlib import Path

import psutil

from tests.portal.web_server import WebServer, running_web_server
from tests.waits import wait_for

MEGABYTES = 1024 * 1024
BEGIN = b"POST /imports/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % (
    8 * MEGABYTES
)


def unnamed_files(server: WebServer) -> set[Path]:
    """Returns the folders of the open files without a name that the web server has."""
    found = set()
    for process in psutil.Process(server.process.pid).children():
        for handle in Path(f"/proc/{process.pid}/fd").iterdir():
            target = os.readlink(handle)
            if target.startswith("/") and target.endswith("(deleted)"):
                found.add(Path(target).parent)
    return found


def test_a_body_waits_in_the_data_folder_and_not_in_memory(tmp_path):
    with running_web_server(tmp_path) as server:
        before = unnamed_files(server)
        client = server.connect()
        client.sendall(BEGIN + b"a" * 2 * MEGABYTES)
        wait_for(lambda: unnamed_files(server) - before, seconds=30)
        assert unnamed_files(server) - before == {tmp_path / "imports"}
        client.close()
