"""Puts the Faust worker together: what it starts, in which order, and everything of Faust that we leave out."""

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
from analytics_stream.audit_api import Inspection
from analytics_stream.batch_processor import Intake
from analytics_stream.config import Config
from analytics_stream.dead_letters import DeadLetter
from analytics_stream.offset_store import Keeper
from analytics_stream.progress import Progress
from analytics_stream.shutdown import end_in_time
from analytics_stream.store import Store
from analytics_stream.transport import QuickTransport
from analytics_stream.views import Views
from analytics_stream.watchdog import Lookout, WaitForBroker

GROUP = "analytics"
SESSION_SECONDS = 6.0  # So long a killed worker's partitions stay unread. Faust has 60 s.
NEVER = 7 * 86_400.0  # A database that is away must not throw us out of the group.

log = structlog.stdlib.get_logger("analytics.app")


class OwnRoutes(Web):
    """Faust's web server without any of Faust's pages."""

    default_blueprints = production_blueprints = debug_blueprints = optional_blueprints = ()

    def _create_site(self) -> BaseSite:
        config = cast(Worker, self.app).config
        return TCPSite(self._runner, config.host, config.port)  # Faust itself takes no port 0.

    async def start_server(self) -> None:
        await super().start_server()
        host, port = self._runner.addresses[0][:2]
        log.info("Listening.", host=host, port=port)


class WebFirst(BootStrategy):
    """The web server is up before the broker answers: it serves the last figures and says what is missing."""

    def server(self) -> Iterable[Any]:
        app = cast(Worker, self.app)
        yield from self.web_server()
        yield WaitForBroker(app.config.brokers)
        yield from self._chain(self.sensors(), self.kafka_producer(), self.kafka_consumer())
        yield from self._chain(self.agents(), self.kafka_conductor(), self.tables())
        yield Lookout(app, app.progress, app.config.brokers, app.keeper)


class Worker(faust.App):
    """One worker; several share the partitions of the topic and may share one database."""

    BootStrategy = WebFirst

    def __init__(self, config: Config) -> None:
        super().__init__(
            GROUP,
            broker=[URL(f"kafka://{broker}") for broker in config.brokers],
            broker_client_id=GROUP,
            broker_session_timeout=SESSION_SECONDS,
            broker_heartbeat_interval=2.0,
            broker_max_poll_interval=NEVER,
            broker_commit_interval=1.0,
            consumer_auto_offset_reset="earliest",
            consumer_metadata_max_age_ms=3_000,  # A topic that is made after us is found this soon.
            store="memory://",
            stream_wait_empty=False,  # To read a message again changes nothing, to wait for a database may take hours.
            topic_allow_declare=False,
            topic_disable_leader=True,
        )
        self.config = config
        self.progress = Progress()
        self.counting = Store(config.database_url)
        # One thread counts and one reads for the web routes, so that neither waits for the other.
        self.counter, self.reader = (ThreadPoolExecutor(1, name) for name in ("counter", "reader"))
        self.auditor = ThreadPoolExecutor(2, "auditor")
        self.keeper = Keeper(self.counting, self.reader)
        intake = Intake(
            self.counting, self._post, self.keeper.bookmarks, self.progress, self.counter
        )
        self.views = Views(self.counting, self.progress, self.reader, config.time_zone)
        self.inspection = Inspection(self.counting.engine, self.auditor)
        add_agent(self, config.topic, intake)

    def on_webserver_init(self, web: Any) -> None:
        self.views.add_to(web.web_app)
        self.inspection.add_to(web.web_app)

    def _new_web(self) -> OwnRoutes:
        return OwnRoutes(self)

    def _new_transport(self) -> QuickTransport:
        return QuickTransport(self.conf.broker_consumer, self)

    def _create_directories(self) -> None:
        """Faust makes a folder for tables; we have none, and the file system may be read-only."""

    async def _post(self, letter: DeadLetter) -> None:
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


class Process(faust.Worker):
    """Faust's runner of an app, with an end to its patience."""

    def _schedule_shutdown(self, signal: Any) -> None:
        end_in_time()
        super()._schedule_shutdown(signal)


def run(config: Config) -> int:
    """Work until SIGTERM or SIGINT; answers the exit code. Raises OSError when the port is taken."""
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    socket.create_server((config.host, config.port), family=family).close()
    app = Worker(config)
    app.finalize()
    worker = Process(app, quiet=True, override_logging=False, redirect_stdouts=False)
    worker.spinner = None
    try:
        worker.execute_from_commandline()
    except SystemExit as end:
        return int(end.code or 0)
