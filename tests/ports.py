"""Ports for servers that a test starts itself."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from embedded.programs import reserve_port


@contextmanager
def reserve_ports(count: int) -> Iterator[list[int]]:
    """Yields different ports of the loopback address, reserved for this block."""
    with ExitStack() as stack:
        yield [stack.enter_context(reserve_port()) for _ in range(count)]
