"""Assembles the Faust worker: its parts, the order of their start, and the parts of Faust that are
left out."""

import gc
import socket
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import faust
import structlog
from aiohttp.web import BaseSite, TCPSite
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from faust.app.base import BootStrategy
from faust.exceptions import ProducerSendError
from faust.web.drivers.aiohttp import Web
from yarl import URL

from analytics_stream.agents import add_agent
from analytics_stream.audit_api import AuditViews
from analytics_stream.batch_processor import BatchProcessor
from analytics_stream.config import Config
from analytics_stream.dead_letters import DeadLetter
from analytics_stream.offset_store import OffsetStore
from analytics_stream.progress import Progress
from analytics_stream.shutdown import limit_shutdown
from analytics_stream.store import Store
from analytics_stream.transport import AnalyticsTransport, BatchScheduling
from analytics_stream.views import Views
from analytics_stream.watchdog import WaitForBroker, Watchdog

GROUP = "analytics"
LARGEST_BATCH = 2_000  # Messages that are counted in one transaction.
WAITING_BATCHES = 4  # So many are read ahead.
# Objects made between two collections of garbage; a batch makes about 100,000, and none is garbage.
COLLECTED_OBJECTS = 200_000
SESSION_SECONDS = 6.0  # How long a killed worker's partitions stay unread. Faust has 60 s.
# Seconds that a batch may take: a database that is away must not throw us out of the group.
POLL_INTERVAL_SECONDS = 7 * 86_400.0

log = structlog.stdlib.get_logger("analytics.app")


class OwnWebServer(Web):
    """Faust's web server without any of Faust's pages."""

    default_blueprints = production_blueprints = debug_blueprints = optional_blueprints = ()

    def _create_site(self) -> BaseSite:
        config = cast(Worker, self.app).config
        return TCPSite(self._runner, config.host, config.port)  # Faust itself takes no port 0.

    async def start_server(self) -> None:
        await super().start_server()
        host, port = self._runner.addresses[0][:2]
        log.info("Listening.", host=host, port=port)


class WebFirstBootStrategy(BootStrategy):
    """Starts the web server before the broker answers: it serves the last figures and tells what
    is missing."""

    def server(self) -> Iterable[Any]:
        app = cast(Worker, self.app)
        yield from self.web_server()
        yield WaitForBroker(app.config.brokers)
        yield from self._chain(self.sensors(), self.kafka_producer(), self.kafka_consumer())
        yield from self._chain(self.agents(), self.kafka_conductor(), self.tables())
        yield Watchdog(app, app.progress, app.config.brokers, app.offset_store)


class Worker(faust.App):
    """One worker; several share the partitions of the topic and may share one database."""

    BootStrategy = WebFirstBootStrategy

    def __init__(self, config: Config) -> None:
        super().__init__(
            GROUP,
            broker=[URL(f"kafka://{broker}") for broker in config.brokers],
            broker_client_id=GROUP,
            broker_session_timeout=SESSION_SECONDS,
            broker_heartbeat_interval=2.0,
            broker_max_poll_interval=POLL_INTERVAL_SECONDS,
            broker_commit_interval=1.0,
            consumer_auto_offset_reset="earliest",
            consumer_metadata_max_age_ms=3_000,  # A topic created after our start is found so soon.
            broker_max_poll_records=LARGEST_BATCH,
            stream_buffer_maxsize=WAITING_BATCHES,
            ConsumerScheduler=BatchScheduling,
            store="memory://",
            # Reading a message again changes nothing, and waiting for a database may take hours.
            stream_wait_empty=False,
            topic_allow_declare=False,
            topic_disable_leader=True,
        )
        self.config = config
        self.progress = Progress()
        store = Store(config.database_url)
        # One thread counts and one reads for the web routes, so that neither waits for the other.
        counter, reader = ThreadPoolExecutor(1, "counter"), ThreadPoolExecutor(1, "reader")
        self.offset_store = OffsetStore(store, reader)
        processor = BatchProcessor(
            store, self._post, self.offset_store.tracker, self.progress, counter
        )
        self.figure_views = Views(store, self.progress, reader, config.time_zone)
        self.audit_views = AuditViews(store.engine, ThreadPoolExecutor(2, "auditor"))
        add_agent(self, config.topic, processor)

    def on_webserver_init(self, web: Any) -> None:
        self.figure_views.add_routes(web.web_app)
        self.audit_views.add_routes(web.web_app)

    def _new_web(self) -> OwnWebServer:
        return OwnWebServer(self)

    def _new_transport(self) -> AnalyticsTransport:
        return AnalyticsTransport(self.conf.broker_consumer, self)

    def _create_directories(self) -> None:
        """Leaves out Faust's folder for tables: there are none, and the file system may be
        read-only."""

    async def _post(self, letter: DeadLetter) -> None:
        """Sends the letter; without its value when the topic refuses it as too large."""
        message, topic = letter.message, self.config.dead_letter_topic
        try:
            await self.producer.send_and_wait(
                topic, message.key, message.value, None, None, letter.headers
            )
        except (KafkaError, ProducerSendError) as error:
            if not isinstance(error.__cause__ or error, MessageSizeTooLargeError):
                raise
            await self.producer.send_and_wait(
                topic, message.key, None, None, None, letter.without_value()
            )


class WorkerProcess(faust.Worker):
    """Faust's runner of an app, with a limit to the time that its shutdown takes."""

    def _schedule_shutdown(self, signal: Any) -> None:
        limit_shutdown()
        super()._schedule_shutdown(signal)


def run(config: Config) -> int:
    """Runs a worker until SIGTERM or SIGINT and returns the exit code.

    Raises OSError when the port is taken.
    """
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    socket.create_server((config.host, config.port), family=family).close()
    app = Worker(config)
    app.finalize()
    worker = WorkerProcess(app, quiet=True, override_logging=False, redirect_stdouts=False)
    worker.spinner = None
    gc.freeze()  # Collections need not look through all that was loaded.
    gc.set_threshold(COLLECTED_OBJECTS)
    try:
        worker.execute_from_commandline()
    except SystemExit as end:
        return int(end.code or 0)
