"""The web server inside gunicorn's worker: waitress, which reads and writes without threads.

A request takes one of the threads when all of it is there, and its answer leaves without a thread.
So clients that send or read slowly keep nobody waiting. Each port is a server of its own, with its
own threads: the internal one answers operators whatever happens at the public one.
"""

import gc
import logging
import os
import resource
import select
import socket
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import structlog
from gunicorn.workers.base import Worker
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer
from waitress.task import WSGITask

from portal.connection_counts import ConnectionShare
from portal.web_errors import Refusal
from portal.web_figures import web_figures
from portal.web_request import BoundedRequest
from portal.web_threads import ThreadPool

log = structlog.get_logger("portal.web")

FIGURES_SECONDS = 2.0  # Between two times that a process shows the others what it counted.
HEADER_SECONDS = 15.0  # Until all headers of a request have come.
BODY_SECONDS = 30.0  # Until its body has come; longer only at SLOWEST bytes a second.
SLOWEST = 8 * 1024  # Bytes a second of a body, or of an answer, on average.
IDLE_SECONDS = 5.0  # That a connection stays open between two requests.
LOOK_SECONDS = 1.0  # Between two looks for slow clients.
CONNECTIONS = 4000  # Of one port; more wait until others have ended.
HEADER_BYTES = 64 * 1024
BODY_BYTES = 4 * 1024 * 1024  # Of requests that bring no file.
FILES_AT_ONCE = 8
WAITING_REQUESTS = 8  # That one connection may send ahead of their answers; browsers send none.
LEAVE_SECONDS = 0.02  # That a new connection waits for a process with fewer connections.
INTERNAL_THREADS = 2
POLL_SECONDS = 0.1  # Between two looks whether a stopping server has answered all.


class TimedChannel(HTTPChannel):
    """A connection that is closed when its client is too slow."""

    parser_class = BoundedRequest
    error_task_class = Refusal

    def __init__(self, *arguments: Any, **options: Any) -> None:
        # Before super(), which may call methods of this class.
        self.held = b""
        self.began_at = self.flushed_at = time.monotonic()
        self.sent_bytes = self.sent_before = 0
        super().__init__(*arguments, **options)

    def received(self, data: bytes) -> bool:
        """Takes what came in, and refuses files beyond FILES_AT_ONCE, which fill the disk."""
        if self.request is None:
            if self.held:
                data, self.held = self.held + data, b""
            else:
                self.began_at = time.monotonic()
            first = data.lstrip(b"\r\n")[:1]
            if first and not first.isalpha():  # TLS or another protocol begins so, no method.
                self.will_close = True
                return False
            if any(gatherer.take(self, data) for gatherer in self.server.gatherers):
                return True
        taken = super().received(data)
        self._drop_far_ahead()
        if self.brings_file() and self.server.count_files() > FILES_AT_ONCE:
            self.will_close = True
        return taken

    def let_go(self) -> None:
        """Gives the beginning of a request to the parser, if it was held for LOOK_SECONDS."""
        if self.held and time.monotonic() - self.began_at > LOOK_SECONDS:
            data, self.held = self.held, b""
            super().received(data)

    def wait_for(self, request: Any) -> bool:
        """Makes this request the only one, if there is no other; the loop answers it."""
        with self.requests_lock:
            if self.requests or self.will_close or self.close_when_flushed:
                return False
            self.requests.append(request)
            return True

    def ask_thread(self) -> None:
        """Has one of the server's threads answer the search that `wait_for` took."""
        self.server.add_task(self)

    def task_class(self, channel: HTTPChannel, request: Any) -> Any:
        """Returns what a thread does for this request."""
        return getattr(request, "task_class", WSGITask)(channel, request)

    def answer_at_once(self, data: bytes) -> None:
        """Sends the answer to the request that `wait_for` took; the loop's thread calls it."""
        self.requests.clear()
        try:
            sent = self.send(data) if self.connected else 0
        except OSError:  # Of this client alone.
            self.will_close = True
            return
        self.last_activity = time.time()
        if self.connected and sent < len(data):
            with self.outbuf_lock:
                self.outbufs[-1].append(data[sent:])
                self.current_outbuf_count += len(data) - sent
                self.total_outbufs_len += len(data) - sent

    def ask_django(self, data: bytes) -> None:
        """Gives the request that `wait_for` took to a thread after all."""
        self.requests.clear()
        if self.connected:
            super().received(data)

    def _drop_far_ahead(self) -> None:
        """Forgets requests beyond WAITING_REQUESTS, and closes when those before are answered."""
        with self.requests_lock:
            if len(self.requests) > WAITING_REQUESTS:
                for request in self.requests[WAITING_REQUESTS:]:
                    request.close()
                del self.requests[WAITING_REQUESTS:]
                self.requests[-1].headers["CONNECTION"] = "close"

    def send(self, data: bytes, do_close: bool = True) -> int:
        count = super().send(data, do_close=do_close)
        self.sent_bytes += count
        return count

    def brings_file(self) -> bool:
        request = self.request  # Another thread may end it meanwhile.
        return request is not None and request.body_bytes_received > BODY_BYTES

    def is_too_slow(self, now: float) -> bool:
        """Returns whether the client has had its time, whichever side has to move."""
        if self.total_outbufs_len:
            sent = self.sent_bytes - self.sent_before
            return now - self.flushed_at > BODY_SECONDS + sent / SLOWEST
        self.flushed_at, self.sent_before = now, self.sent_bytes
        request = self.request
        if self.requests:
            return False  # The portal is at work.
        if request is None:
            return time.time() - self.last_activity > IDLE_SECONDS
        if not request.headers_finished:
            return now - self.began_at > HEADER_SECONDS
        return now - self.began_at > BODY_SECONDS + request.body_bytes_received / SLOWEST


class PortServer(TcpWSGIServer):
    """The server of one port: its own loop, threads and connections."""

    channel_class = TimedChannel
    gatherers: Sequence[Any] = ()  # Of plain requests, which are answered without a thread.
    share: ConnectionShare | None = None  # Of the connections of all processes.
    _accept_after = 0.0  # A process with fewer connections may take the next until then.

    def maintenance(self, now: float) -> None:  # noqa: ARG002 - The name is waitress's.
        """Closes the connections of slow clients; waitress calls it every LOOK_SECONDS."""
        moment = time.monotonic()
        for channel in list(self.active_channels.values()):
            channel.let_go()
            if channel.is_too_slow(moment):
                channel.will_close = True
                if channel.total_outbufs_len:  # Its thread may wait for room.
                    channel.handle_close()

    def getsockname(self) -> tuple[str, int]:
        """Returns host and port. waitress would ask the name server for the host's name."""
        host, port = self.socket.getsockname()[:2]
        return host, port

    def count_files(self) -> int:
        """Returns how many clients send a file at this moment."""
        return sum(channel.brings_file() for channel in list(self.active_channels.values()))

    def serve(self) -> None:
        """Serves until the process ends."""
        while self._map:
            pause = self._accept_after - time.monotonic()
            wasyncore.poll2(pause if pause > 0 else LOOK_SECONDS, self._map)
            for gatherer in self.gatherers:
                gatherer.turn()

    def readable(self) -> bool:
        """Returns whether to look for a new connection."""
        if self.share:
            self.share.note(len(self.active_channels))
        is_open: bool = super().readable()
        return is_open and time.monotonic() >= self._accept_after

    def handle_accept(self) -> None:
        """Takes a new connection, or first leaves it to a process with fewer, if one is awake."""
        now = time.monotonic()
        has_left_it = now - self._accept_after < 10 * LEAVE_SECONDS  # It may be the same one.
        if self.share and self.share.has_more_than_another() and not has_left_it:
            self._accept_after = now + LEAVE_SECONDS
            return
        self._accept_after = 0.0
        super().handle_accept()

    def is_done(self) -> bool:
        """Returns whether every request that has come is answered."""
        return not any(
            channel.requests or channel.total_outbufs_len
            for channel in list(self.active_channels.values())
        )


class WebWorker(Worker):
    """gunicorn's worker: a server for each of its ports, until it is told to stop."""

    share: ConnectionShare | None = None  # gunicorn.py gives it before the fork.
    _publish_at = 0.0
    _has_published = True

    def init_process(self) -> None:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = max(soft, 3 * CONNECTIONS)
        wanted = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        logging.getLogger("waitress").addFilter(_without_path)
        _spool_on_disk(Path(os.environ["PORTAL_DATA_DIR"]) / "imports")
        super().init_process()

    def run(self) -> None:
        # Django is set up by now, and was not when this module was imported.
        from portal.gathering import Helper
        from portal.web_reads import WebReads
        from portal.web_writes import WebWrites

        gc.collect()
        gc.freeze()  # Full collections need not look through all that was loaded.
        # gunicorn.py binds the internal port last.
        *public, internal = [listener.sock for listener in self.sockets]
        servers = [self._server(sock, is_internal=False) for sock in public]
        for server in servers:
            helper = Helper(server.pull_trigger)
            server.gatherers = [kind(server._map, helper) for kind in (WebReads, WebWrites)]
            server.share = self.share
        servers.append(self._server(internal, is_internal=True))
        threads = [threading.Thread(target=server.serve, daemon=True) for server in servers]
        for thread in threads:
            thread.start()
        while (
            self.alive
            and os.getppid() == self.ppid
            and all(map(threading.Thread.is_alive, threads))
        ):
            self.notify()
            self._publish_figures()
            select.select([self.PIPE[0]], [], [], LOOK_SECONDS)  # A signal writes into it.
        self._stop(servers)
        self._publish_figures(at_once=True)

    def _server(self, listener: socket.socket, *, is_internal: bool) -> PortServer:
        settings = {
            "ident": "",
            "backlog": self.cfg.backlog,
            "cleanup_interval": LOOK_SECONDS,
            "clear_untrusted_proxy_headers": False,  # portal.proxies does that.
            "connection_limit": CONNECTIONS,
            "max_request_header_size": HEADER_BYTES,
            "recv_bytes": 64 * 1024,
        }
        limits: Any = Adjustments(max_request_body_size=BODY_BYTES, **settings)
        largest = int(os.environ.get("IMPORT_MAX_BYTES") or 200 * 1024 * 1024) + BODY_BYTES
        limits.for_files = Adjustments(max_request_body_size=largest, **settings)
        threads = ThreadPool()
        threads.set_thread_count(INTERNAL_THREADS if is_internal else self.cfg.threads)
        family, kind = listener.family, listener.type
        return PortServer(
            self.wsgi,
            map={},
            _sock=listener,
            dispatcher=threads,
            adj=limits,
            sockinfo=(family, kind, None, listener.getsockname()),
            bind_socket=False,
        )

    def _publish_figures(self, *, at_once: bool = False) -> None:
        figures, now = web_figures(), time.monotonic()
        if figures is None or (now < self._publish_at and not at_once):
            return
        self._publish_at = now + FIGURES_SECONDS
        try:
            figures.publish()
            self._has_published = True
        except OSError as error:
            if self._has_published:  # Said once, until it works again.
                log.warning("figures_not_written", error=error.strerror)
            self._has_published = False

    def _stop(self, servers: list[PortServer]) -> None:
        """Takes no new connections, and waits for the answers of those that it has."""
        for server in servers:
            server.accepting = False
        deadline = time.monotonic() + self.cfg.graceful_timeout
        while not all(server.is_done() for server in servers) and time.monotonic() < deadline:
            self.notify()
            time.sleep(POLL_SECONDS)


def _spool_on_disk(folder: Path) -> None:
    """Makes waitress and Django keep what is uploaded in this folder until it is taken.

    /tmp is memory in the images, and a file of 200 MB would fill twice as much of it. What a killed
    process leaves behind is deleted with old files of imports.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:  # A full disk: the portal starts, and says so elsewhere.
        log.warning("uploads_in_memory", error=type(error).__name__)
        return
    tempfile.tempdir = str(folder)


def _without_path(record: logging.LogRecord) -> bool:
    """Cuts the path, which may hold what a user typed, off the lines of waitress."""
    record.msg = str(record.msg).partition(" /")[0]
    return True
