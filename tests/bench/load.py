"""The load generator: one thread, raw sockets that are kept open, and requests made beforehand.

Each connection sends its next request as soon as the answer to the last one is there. All answers'
statuses are checked, and the body of each fiftieth.
"""

import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.bench.percentiles import percentile

CHECKED_EACH = 50  # One of so many bodies is looked at.
# A measurement of slow requests goes on until each connection has had so many answers on average,
# since what is under way at its end counts for nothing.
LEAST_ANSWERS = 4
LONGEST_SECONDS = 12.0  # But no longer than this.


@dataclass(frozen=True)
class Sent:
    """A request as bytes; the status that its answer must have, and words of its body."""

    data: bytes
    status: int = 200
    body_has: bytes = b""


@dataclass
class Load:
    """What a measurement saw."""

    seconds: float = 0.0
    own_seconds: float = 0.0  # Processor time of the generator.
    times: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        return len(self.times) / self.seconds

    def milliseconds(self, percent: float) -> float:
        return percentile(self.times, percent) * 1000


class WrongAnswer(Exception):
    """An answer had another status or body than a row expects."""


def request(
    method: str, path: str, host: str, *, headers: tuple[str, ...] = (), body: bytes = b""
) -> bytes:
    """Returns an HTTP/1.1 request."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Accept: application/json", *headers]
    if body or method in {"POST", "PUT", "PATCH"}:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def run_load(
    port: int,
    sources: list[Iterator[Sent]],
    *,
    seconds: float,
    least: float = LEAST_ANSWERS,
    stop: threading.Event | None = None,
) -> Load:
    """Sends the requests of each source over a connection of its own for `seconds`.

    It goes on until there are `least` answers for each source. Another thread may `stop` it before.
    Raises WrongAnswer.
    """
    load, selector = Load(), selectors.DefaultSelector()
    connections = [Connection(port, source, selector, load.times.append) for source in sources]
    own, began, enough = time.process_time(), time.perf_counter(), least * len(sources)
    try:
        for connection in connections:
            connection.send_next()
        end, last = began + seconds, began + max(seconds, LONGEST_SECONDS)
        while (now := time.perf_counter()) < end or (len(load.times) < enough and now < last):
            for key, _ in selector.select(timeout=0.05):
                key.data.receive()
            if stop and stop.is_set():
                break
        load.seconds = time.perf_counter() - began
        load.own_seconds = time.process_time() - own
        if not load.times and not (stop and stop.is_set()):
            raise WrongAnswer(f"There was no answer in {load.seconds:.0f} s.")
    finally:
        for connection in connections:
            connection.close()
        selector.close()
    return load


class Connection:
    """One client: sends, reads the answer, checks it, sends again."""

    def __init__(
        self,
        port: int,
        source: Iterator[Sent],
        selector: selectors.BaseSelector,
        note: Callable[[float], None],
    ) -> None:
        self._port, self._source, self._selector, self._note = port, source, selector, note
        self._socket: socket.socket | None = None
        self._answers = 0

    def send_next(self) -> None:
        self._sent = next(self._source)
        self._began = time.perf_counter()
        self._buffer, self._length = bytearray(), -1
        self._write()

    def receive(self) -> None:
        assert self._socket is not None
        try:
            data = self._socket.recv(262_144)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b""
        if not data:
            self._begin_again()
            return
        self._buffer += data
        if self._is_complete():
            self._note(time.perf_counter() - self._began)
            self._check()
            if self._closes:
                self.close()
            self.send_next()

    def close(self) -> None:
        if self._socket is not None:
            self._selector.unregister(self._socket)
            self._socket.close()
            self._socket = None

    def _write(self) -> None:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=30)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(self._socket, selectors.EVENT_READ, self)
        self._socket.settimeout(30)
        try:
            self._socket.sendall(self._sent.data)
        except (BrokenPipeError, ConnectionResetError):
            self.close()
            self._write()
            return
        self._socket.setblocking(False)

    def _begin_again(self) -> None:
        """Sends once more over a new connection, if the server closed an idle one meanwhile."""
        if self._buffer:
            raise WrongAnswer(f"The answer was cut off: {bytes(self._buffer[:200])!r}")
        self.close()
        self._write()

    def _is_complete(self) -> bool:
        if self._length < 0:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return False
            self._read_headers(bytes(self._buffer[:end]).lower(), end + 4)
        if self._chunked:
            return self._buffer.endswith(b"0\r\n\r\n")
        return len(self._buffer) >= self._length

    def _read_headers(self, headers: bytes, start: int) -> None:
        self._start, self._length = start, start
        self._closes = self._chunked = False
        for line in headers.split(b"\r\n")[1:]:
            name, _, value = line.partition(b": ")
            if name == b"content-length":
                self._length = start + int(value)
            elif name == b"connection":
                self._closes = value == b"close"
            elif name == b"transfer-encoding":
                self._chunked = value == b"chunked"

    def _check(self) -> None:
        status = int(self._buffer[9:12])
        self._answers += 1
        wrong = status != self._sent.status
        if self._answers % CHECKED_EACH == 1 and self._sent.body_has:
            wrong = wrong or self._sent.body_has not in self._buffer[self._start :]
        if wrong:
            asked, answered = self._sent.data[:300], bytes(self._buffer[:600])
            raise WrongAnswer(f"{asked!r}\nwas answered\n{answered!r}")
