"""Ports for servers that a test starts itself."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from embedded.programs import reserve_port


@contextmanager
def reserve_ports(count: int) -> Iterator[list[int]]:
    """Ports of the loopback address that the system gives to nobody else in this block, all different."""
    with ExitStack() as held:
        yield [held.enter_context(reserve_port()) for _ in range(count)]
