"""The server process: both billing services, health and reflection on one port."""

import signal
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import grpc
import structlog
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from billing_grpc.calls import Calls
from billing_grpc.config import Config
from billing_grpc.health import Health, Readiness
from billing_grpc.servicer import BillingService, OlderBillingService
from billing_grpc.store import Store, connect
from protos.billing.v1 import billing_service_pb2 as v1
from protos.billing.v1 import billing_service_pb2_grpc as v1_grpc
from protos.legacy import billing_service_pb2 as older
from protos.legacy import billing_service_pb2_grpc as older_grpc

THREADS = 8  # Calls that are answered at once.
MOST_WAITING = 200  # Calls; further ones get RESOURCE_EXHAUSTED at once.
DRAIN_SECONDS = 8.0  # Under the 10 s that compose gives a container before it kills.
SERVICES = tuple(
    file.DESCRIPTOR.services_by_name["BillingService"].full_name for file in (v1, older)
)
OPTIONS: Sequence[tuple[str, int]] = (
    ("grpc.so_reuseport", 0),  # Else a second server would share a busy port without a word.
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
    ("grpc.keepalive_time_ms", 60_000),
)

log = structlog.get_logger("billing")


class CannotListen(Exception):
    """The address is taken or not ours; the text says why, and which variable to change."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers calls on `port`."""

    grpc_server: grpc.Server
    health: Health
    readiness: Readiness
    port: int

    def drain(self) -> None:
        """Says NOT_SERVING, refuses new calls, and ends after those under way or DRAIN_SECONDS."""
        self.readiness.end()
        self.health.enter_graceful_shutdown()
        finished = self.grpc_server.stop(DRAIN_SECONDS)
        self.health.end_watches()
        finished.wait()


def start(store: Store, *, host: str, port: int) -> Server:
    """Starts to listen and answer; the database may still be away. Port 0 takes any free port.

    Raises CannotListen.
    """
    server = grpc.server(
        ThreadPoolExecutor(THREADS, thread_name_prefix="call"),
        interceptors=[Calls(SERVICES)],
        options=OPTIONS,
        maximum_concurrent_rpcs=MOST_WAITING,
    )
    v1_grpc.add_BillingServiceServicer_to_server(BillingService(store), server)
    older_grpc.add_BillingServiceServicer_to_server(OlderBillingService(store), server)
    health = Health()
    health_pb2_grpc.add_HealthServicer_to_server(health, server)
    names = [
        *SERVICES,
        health_pb2.DESCRIPTOR.services_by_name["Health"].full_name,
        reflection.SERVICE_NAME,
    ]
    reflection.enable_server_reflection(names, server)
    port = _listen(server, host, port)
    readiness = Readiness(health, store.check, services=SERVICES)
    server.start()
    readiness.start()
    return Server(server, health, readiness, port)


def serve(config: Config) -> None:
    """Runs until SIGTERM or SIGINT, then drains. Raises CannotListen."""
    end_signals = {signal.SIGTERM, signal.SIGINT}
    # Before any thread starts: only `sigwait` below may take them.
    signal.pthread_sigmask(signal.SIG_BLOCK, end_signals)
    engine = connect(config.database_url, connections=THREADS + 1)
    server = start(Store(engine), host=config.host, port=config.port)
    log.info("listening", host=config.host, port=server.port)
    received = signal.sigwait(end_signals)
    log.info("draining", signal=signal.Signals(received).name)
    server.drain()
    log.info("ended")


def _listen(server: grpc.Server, host: str, port: int) -> int:
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        return server.add_insecure_port(address)
    except RuntimeError:
        reason = _listen_problem(host, port)
        raise CannotListen(
            f"cannot listen on {address}: {reason}. Set BILLING_PORT or BIND_HOST."
        ) from None


def _listen_problem(host: str, port: int) -> str:
    """Asks the system for the reason, which gRPC does not tell."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as trial:
            trial.bind(address)
    except OSError as error:
        return error.strerror or str(error)
    return "the address cannot be used"
