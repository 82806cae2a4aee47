"""A full disk is said, ends no process, and stops nothing that needs no room."""

import errno
import re
from pathlib import Path

import psutil
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from psycopg2.errors import DiskFull

from portal import health
from portal.imports import file_store
from portal.imports.models import ImportJob
from portal.problems import as_portal_error
from tests.compose.containers import why_not
from tests.fault.disk import filled
from tests.portal.web_server import WebServer, running_web_server
from tests.waits import wait_for

in_namespace = pytest.mark.skipif(bool(why_not()), reason=f"A small disk: {why_not()}")
SMALL_MEMORY = "mount --make-rprivate /; mount -t tmpfs -o size=256k none /dev/shm"
FULL = "head -c 10000000 /dev/zero >/dev/shm/ballast 2>/dev/null || true"
REQUESTS = 30


def count(server: WebServer) -> float:
    """Returns how often all processes together say that the sign-in page was answered."""
    text = server.get("/metrics", internal=True).text
    found = re.findall(r"portal_requests_total\{.*sign-in.*\} (.*)", text)
    return sum(map(float, found))


def workers(server: WebServer) -> set[int]:
    return {child.pid for child in psutil.Process(server.process.pid).children()}


def ask(server: WebServer) -> None:
    for _ in range(REQUESTS):
        assert server.get("/sign-in/").status_code == 200


@in_namespace
def test_web_processes_outlive_full_shared_memory_and_count_on(tmp_path):
    """Figures in mapped files, as prometheus_client has them, turn it red: SIGBUS."""
    with running_web_server(tmp_path, before=SMALL_MEMORY, WEB_CONCURRENCY="2") as server:
        before = workers(server)
        memory = Path(f"/proc/{server.process.pid}/root/dev/shm")
        with filled(memory):
            ask(server)
            server.get("/no-such-page-1")
            assert server.get("/metrics", internal=True).status_code == 200
        ask(server)
        wait_for(lambda: count(server) == 2 * REQUESTS)
        assert workers(server) == before


@in_namespace
def test_the_web_server_starts_with_full_shared_memory(tmp_path):
    full = f"{SMALL_MEMORY}; {FULL}"
    with running_web_server(tmp_path, before=full, WEB_CONCURRENCY="2") as server:
        ask(server)


def test_what_a_process_counted_stays_when_it_has_ended(tmp_path):
    with running_web_server(tmp_path, WEB_CONCURRENCY="2") as server:
        ask(server)
        wait_for(lambda: count(server) == REQUESTS)
        for pid in workers(server):
            psutil.Process(pid).terminate()
        wait_for(lambda: len(workers(server)) == 2)
        wait_for(lambda: count(server) == REQUESTS)


@pytest.mark.parametrize("kind", ["ours", "the database's"])
def test_the_answer_says_that_a_disk_is_full(kind):
    error: Exception = OSError(errno.ENOSPC, "No space left on device")
    if kind == "the database's":
        error = OperationalError("could not extend file")
        error.__cause__ = DiskFull()
    ours = as_portal_error(error)
    assert ours is not None
    assert (ours.status, "disk of the portal is full" in ours.detail) == (503, True)


@pytest.mark.django_db
def test_an_upload_without_room_is_told_and_leaves_nothing(client, make_user, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    client.force_login(make_user("operator"))

    def no_room(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(file_store.os, "fsync", no_room)
        file = SimpleUploadedFile("people.csv", b"family_name,given_name\nOrme,Ann\n")
        answer = client.post("/imports/upload/", {"file": file})
    assert answer.status_code == 503
    assert "disk of the portal is full" in answer.content.decode()
    assert not list((tmp_path / "imports").iterdir())
    assert not ImportJob.objects.exists()


@pytest.mark.django_db
def test_a_disk_that_is_nearly_full_shows_before_it_is(client, settings, tmp_path):
    settings.DATA_DIR, settings.IMPORT_MAX_BYTES = tmp_path, 2**60
    health.checks.expire()
    checks = client.get("/health/ready", SERVER_PORT="4003").json()["checks"]
    [disk] = [check for check in checks if check["name"] == "disk"]
    assert not disk["ok"]
    assert disk["freeBytes"] > 0
    health.checks.expire()
