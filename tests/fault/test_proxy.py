"""The proxy does to connections what each mode says, and lets them pass when it is over."""

import socket
import threading
from contextlib import closing, suppress

import pytest

from tests.fault import proxy
from tests.fault.proxy import Mode, Network
from tests.ports import reserve_ports

LINK = "here to there"


@pytest.fixture
def heard():
    return []


@pytest.fixture
def way(heard):
    """The port of a proxy to a server that answers each line with the same line."""
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as server,
        reserve_ports(1) as (port,),
        Network().running() as net,
    ):
        threading.Thread(target=serve, args=(server, heard), daemon=True).start()
        net.add(LINK, port=port, target=server.getsockname()[1])
        yield port, net


def serve(server, heard):
    def answer(connection):
        with (
            connection,
            suppress(ConnectionError),
            connection.makefile("rwb", buffering=0) as lines,
        ):
            for line in lines:
                heard.append(line)
                lines.write(line)

    with suppress(OSError):
        while True:
            connection, _ = server.accept()
            threading.Thread(target=answer, args=(connection,), daemon=True).start()


def connect(port, *, seconds=5):
    return socket.create_connection(("127.0.0.1", port), timeout=seconds)


def say(connection, word):
    connection.sendall(word)
    return connection.recv(100)


def is_cut(connection):
    """Tells whether the connection has ended, instead of answering."""
    try:
        return say(connection, b"?\n") == b""
    except ConnectionError:
        return True


def is_cut_at_once(port):
    """Tells the same of a new connection, which may end before it is open."""
    try:
        with connect(port) as connection:
            return is_cut(connection)
    except ConnectionError:
        return True


def test_what_passes_is_answered(way):
    port, _ = way
    with connect(port) as connection:
        assert say(connection, b"one\n") == b"one\n"


def test_refused_is_refused_and_comes_back_at_the_same_port(way):
    port, net = way
    with connect(port) as before:
        say(before, b"one\n")
        with net.bad([LINK], Mode.REFUSE):
            with pytest.raises(ConnectionError):
                say(before, b"two\n")
            with pytest.raises(ConnectionRefusedError):
                connect(port)
    with connect(port) as connection:
        assert say(connection, b"three\n") == b"three\n"


def test_reset_ends_open_and_new_connections(way):
    port, net = way
    with connect(port) as before:
        say(before, b"one\n")
        with net.bad([LINK], Mode.RESET):
            assert is_cut(before)
            assert is_cut_at_once(port)


def test_delayed_comes_late_and_whole(way, monkeypatch):
    port, net = way
    monkeypatch.setattr(proxy, "DELAY_SECONDS", 0.3)
    with connect(port) as connection, net.bad([LINK], Mode.DELAY):
        connection.settimeout(0.2)
        connection.sendall(b"one\n")
        with pytest.raises(TimeoutError):
            connection.recv(100)
        connection.settimeout(30)
        assert connection.recv(100) == b"one\n"


def test_a_black_hole_takes_everything_and_resets_what_lost_something(way, heard):
    port, net = way
    with connect(port) as spoke, connect(port) as silent:
        say(spoke, b"one\n")
        say(silent, b"two\n")
        with net.bad([LINK], Mode.BLACK_HOLE):
            spoke.settimeout(0.3)
            with pytest.raises(TimeoutError):
                say(spoke, b"three\n")
            with connect(port):
                pass
        spoke.settimeout(30)
        with pytest.raises(ConnectionError):
            spoke.recv(100)
        assert say(silent, b"four\n") == b"four\n"
    assert heard == [b"one\n", b"two\n", b"four\n"]


def test_only_the_reply_is_dropped(way, heard):
    port, net = way
    with connect(port) as connection:
        with net.bad([LINK], Mode.DROP_REPLY):
            connection.settimeout(0.3)
            with pytest.raises(TimeoutError):
                say(connection, b"one\n")
        assert heard == [b"one\n"]
        connection.settimeout(30)
        with pytest.raises(ConnectionError):
            connection.recv(100)


def test_a_server_that_is_gone_ends_the_connection(way):
    port, net = way
    net.proxies[LINK].target = 1
    assert is_cut_at_once(port)
