"""Ports for servers that a test starts itself."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager


@contextmanager
def kept_ports(count: int) -> Iterator[list[int]]:
    """Ports of the loopback address that the system gives to nobody else in this block, all different.

    We hold each without listening, so that a server with SO_REUSEADDR, which all of ours set, can still have it.
    """
    with ExitStack() as held:
        ports = []
        for _ in range(count):
            port = held.enter_context(socket.socket())
            port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            port.bind(("127.0.0.1", 0))
            ports.append(port.getsockname()[1])
        yield ports
