"""Connections that stay open spread evenly over the web processes."""

import os
import signal
from collections import Counter
from contextlib import ExitStack

import psutil

from portal import web_worker
from portal.connection_counts import ConnectionCounts
from portal.web_worker import PortServer
from tests.portal.web_server import running_web_server
from tests.waits import wait_for


def connections_by_process(server) -> list[int]:
    """Returns how many clients of the public port each process has."""
    counts = Counter({child.pid: 0 for child in processes(server)})
    for child in processes(server):
        for connection in child.net_connections("tcp"):
            if connection.status == "ESTABLISHED" and connection.laddr.port == server.port:
                counts[child.pid] += 1
    return sorted(counts.values())


def processes(server) -> list[psutil.Process]:
    return psutil.Process(server.process.pid).children()


def ask_for_page(client) -> None:
    client.sendall(b"GET /sign-in/ HTTP/1.1\r\nHost: localhost\r\n\r\n")


def test_16_connections_are_about_8_in_each_of_two_processes(tmp_path):
    """Red when each process takes what it sees first: one of them may get all."""
    with running_web_server(tmp_path, WEB_CONCURRENCY="2") as server, ExitStack() as stack:
        wait_for(lambda: len(processes(server)) == 2)
        for _ in range(16):
            ask_for_page(stack.enter_context(server.connect()))
        assert wait_for(lambda: sum(connections_by_process(server)) >= 16 or None)
        fewest, most = connections_by_process(server)
        assert most - fewest <= 4  # On a busy machine one may be late.


def test_a_process_that_hangs_keeps_no_connection_waiting(tmp_path):
    """Red when the others leave connections to the one with fewest, come what may."""
    with running_web_server(tmp_path, WEB_CONCURRENCY="2") as server, ExitStack() as stack:
        wait_for(lambda: len(processes(server)) == 2)
        hanging = processes(server)[0].pid
        os.kill(hanging, signal.SIGSTOP)
        try:
            for _ in range(8):
                client = stack.enter_context(server.connect())
                ask_for_page(client)
                assert client.recv(100).startswith(b"HTTP/1.1 200")
        finally:
            os.kill(hanging, signal.SIGCONT)


def test_the_place_of_an_ended_process_is_given_to_the_next():
    counts = ConnectionCounts()
    first, second = counts.share(), counts.share()
    first.note(3)
    assert first.has_more_than_another()
    assert not second.has_more_than_another()
    second.release()
    assert not first.has_more_than_another()
    third = counts.share()
    third.note(5)
    assert third.has_more_than_another()


def test_a_connection_is_left_to_another_process_once(monkeypatch):
    """Red when a process with more connections takes the next at once, or never."""
    taken = []
    monkeypatch.setattr(
        web_worker.TcpWSGIServer, "handle_accept", lambda server: taken.append(server)
    )
    counts = ConnectionCounts()
    server, other = PortServer.__new__(PortServer), counts.share()
    server.share = counts.share()
    server.share.note(2)
    server.handle_accept()
    assert not taken
    server.handle_accept()
    assert len(taken) == 1
    other.note(2)
    server.handle_accept()
    assert len(taken) == 2
