"""A TCP proxy between two parts of the system, which can act like a bad network."""

import asyncio
import socket
import struct
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

CHUNK = 64 * 1024
DELAY_SECONDS = 0.7


class Mode(Enum):
    """The ways in which a proxy treats connections."""

    PASS = "pass"
    REFUSE = "refuse"  # The port is closed, and open connections are reset.
    RESET = "reset"  # New and open connections are reset.
    DELAY = "delay"  # Every piece comes late.
    BLACK_HOLE = "black hole"  # Connections open, but nothing passes in either direction.
    DROP_REPLY = "drop reply"  # Requests pass, answers do not.


LOSSY = {Mode.BLACK_HOLE, Mode.DROP_REPLY}


@dataclass(eq=False)
class Connection:
    """A client's connection, and the connection to the server for it."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter | None = None
    has_gap: bool = False  # Bytes were dropped: going on would pass broken data.

    def reset(self) -> None:
        for writer in (self.client, self.server):
            if writer is not None:
                _reset(writer)


@dataclass
class Proxy:
    """Listens on `port` and connects to `target`: a port of 127.0.0.1, or the path of a socket.

    `target` may change while it runs, for a server that comes back elsewhere.
    """

    port: int
    target: int | Path
    mode: Mode = Mode.PASS
    _connections: set[Connection] = field(default_factory=set)
    _server: asyncio.Server | None = None

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port, limit=CHUNK)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in list(self._connections):
            connection.reset()

    async def set_mode(self, mode: Mode) -> None:
        """Treats new and open connections in this mode. Connections with a gap are reset."""
        before, self.mode = self.mode, mode
        if before is Mode.REFUSE and mode is not Mode.REFUSE:
            await self.open()
        if mode is Mode.REFUSE:
            await self.close()
        for connection in list(self._connections):
            if mode is Mode.RESET or (connection.has_gap and mode not in LOSSY):
                connection.reset()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(writer)
        self._connections.add(connection)
        try:
            await self._serve(connection, reader)
        except OSError:
            pass  # One side is gone; the other side is closed below.
        finally:
            self._connections.discard(connection)
            connection.reset()

    async def _serve(self, connection: Connection, reader: asyncio.StreamReader) -> None:
        if self.mode in (Mode.RESET, Mode.REFUSE):
            return
        answers, connection.server = await self._connect()
        request = asyncio.ensure_future(
            self._pump(connection, reader, connection.server, is_reply=False)
        )
        reply = asyncio.ensure_future(
            self._pump(connection, answers, connection.client, is_reply=True)
        )
        try:
            await asyncio.wait((request, reply), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in (request, reply):
                pump.cancel()
            await asyncio.gather(request, reply, return_exceptions=True)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self.target, Path):
            return await asyncio.open_unix_connection(self.target, limit=CHUNK)
        return await asyncio.open_connection("127.0.0.1", self.target, limit=CHUNK)

    async def _pump(
        self,
        connection: Connection,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        *,
        is_reply: bool,
    ) -> None:
        while piece := await source.read(CHUNK):
            if self.mode is Mode.DELAY:
                await asyncio.sleep(DELAY_SECONDS)
            if self.mode is Mode.BLACK_HOLE or (self.mode is Mode.DROP_REPLY and is_reply):
                connection.has_gap = True
                continue
            sink.write(piece)
            await sink.drain()
        await self._end_orderly(sink)

    async def _end_orderly(self, sink: asyncio.StreamWriter) -> None:
        """Passes on an orderly end, after the bytes that are on their way."""
        with suppress(OSError, RuntimeError):
            await sink.drain()
            sink.close()
            await sink.wait_closed()


class Network:
    """All proxies of a run, in a thread of their own."""

    def __init__(self) -> None:
        self.proxies: dict[str, Proxy] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="network", daemon=True)

    def add(self, name: str, *, port: int, target: int | Path) -> Proxy:
        """Adds a proxy, which listens from now on."""
        proxy = self.proxies[name] = Proxy(port, target)
        self._do(proxy.open())
        return proxy

    @contextmanager
    def running(self) -> Iterator["Network"]:
        self._thread.start()
        try:
            yield self
        finally:
            for proxy in self.proxies.values():
                self._do(proxy.close())
            self._do(_end_all())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def set_mode(self, name: str, mode: Mode) -> None:
        self._do(self.proxies[name].set_mode(mode))

    @contextmanager
    def bad(self, names: list[str], mode: Mode) -> Iterator[None]:
        """Puts these links into this mode for the block."""
        try:
            for name in names:
                self.set_mode(name, mode)
            yield
        finally:
            for name in names:
                self.set_mode(name, Mode.PASS)

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)


async def _end_all() -> None:
    """Waits for all tasks. Otherwise Python would complain of them in a later test."""
    under_way = asyncio.all_tasks() - {asyncio.current_task()}
    if under_way:
        # Their connections are reset, so they end by themselves.
        await asyncio.wait(under_way, timeout=10)


def _reset(writer: asyncio.StreamWriter) -> None:
    """Ends the connection with RST, so that the peer does not take it for an orderly end."""
    connection = writer.get_extra_info("socket")
    with suppress(OSError):
        if connection is not None and connection.family == socket.AF_INET:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
