"""The simulated system: what a run may do to it, and how it catches up at the end."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from unittest.mock import patch
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.test import override_settings
from sqlalchemy import Engine, event

from analytics_stream.dead_letters import DeadLetter
from analytics_stream.store import Store
from billing_grpc.store import Store as Accounts
from billing_grpc.store import connect
from portal.billing.loop import BillingLoop
from portal.events.loop import EventsLoop
from portal.events.models import QuarantinedEvent
from portal.events.services import requeue_quarantined
from tests.analytics_stream import database as analytics_database
from tests.billing_grpc import database as billing_database
from tests.simulator import checks
from tests.simulator.billing import Billing, Channel
from tests.simulator.broker import Broker, Producer, Record
from tests.simulator.clock import Clock
from tests.simulator.databases import PORTAL_TABLES, portal_database, run_sql
from tests.simulator.desks import Acts, Desk, Words
from tests.simulator.processes import Interrupt, Outcome, point
from tests.simulator.relays import RelayProcess
from tests.simulator.workers import ConsumerGroup, FaultyStore, Worker

LOOPS = ("events", "billing")
LARGEST_MESSAGE = 2_000  # bytes; a window must have room for it, and messages here are smaller
ROUNDS = 30  # to catch up; waiting rows are due after ten minutes at most


class World:
    """The simulated system. `clear` makes it new for the next run; see `new_world`."""

    def __init__(self, billing_url: object, analytics_url: object) -> None:
        self.clock = Clock(run_sql)
        self.billing_url, self.analytics_url = billing_url, analytics_url
        self.accounts, self.store = Accounts(connect(billing_url)), Store(analytics_url)
        self.broker, self.billing, self.figures = (
            Broker(),
            Billing(self.accounts),
            FaultyStore(self.store),
        )
        loops = {
            "events": self._events_loop,
            "billing": lambda: BillingLoop(clock=self.clock.monotonic),
        }
        self.group = ConsumerGroup(self.broker)
        self.relays = [RelayProcess(name, loops, self.clock) for name in ("relay A", "relay B")]
        edges = {
            "group": self.group,
            "broker": self.broker,
            "store": self.figures,
            "post": self._set_aside,
        }
        self.workers = [Worker(number, **edges) for number in range(2)]
        self.desks = [Desk(name) for name in ("desk A", "desk B")]
        self.clear()

    def _events_loop(self) -> EventsLoop:
        return EventsLoop(broker=self.broker, clock=self.clock.monotonic)

    def clear(self) -> None:
        """Empties all stores and removes all troubles."""
        for desk in self.desks:
            if desk.is_open:
                desk.roll_back()
        run_sql("SET lock_timeout = 0")
        run_sql(f"TRUNCATE {PORTAL_TABLES} RESTART IDENTITY CASCADE")
        run_sql("RESET lock_timeout")
        billing_database.execute(self.billing_url, "TRUNCATE billing_account RESTART IDENTITY")
        analytics_database.wipe(self.analytics_url)
        self.clock.reset()
        self.broker.__init__()
        self.billing.__init__(self.accounts)
        self.group.__init__(self.broker)
        settings.KAFKA_WINDOW_BYTES = 0
        for process in (*self.relays, *self.workers):
            process.restart()
        self.words = Words()
        self.versions: Counter[UUID] = Counter()
        self.known_accounts: dict[UUID, str] = {}
        self.set_aside: list[DeadLetter] = []
        self.letters_lost = 0
        self.figures.troubles.clear()

    def end(self) -> None:
        for desk in self.desks:
            desk.end()
        for relay in self.relays:
            relay.end()
        for worker in self.workers:
            worker.end()
        self.store.close()

    # What users and processes do.

    def write(self, act: Callable[[], Acts], desk: Desk | None = None) -> Acts:
        """Writes in a transaction of its own, or in the open one of a desk."""
        if desk:
            return desk.act(act)
        done = act()
        self.versions.update(done)
        return done

    def commit(self, desk: Desk) -> None:
        self.versions.update(desk.commit())

    def elect(self, relay: RelayProcess) -> None:
        relay.stand_for_election()
        checks.one_leads(self)

    def run_round(
        self, relay: RelayProcess, loop: str, interrupt: Interrupt | None = None
    ) -> Outcome | None:
        """Runs a round of a loop of this relay, or the rest of a stopped one."""
        with checks.nothing_written_by_the_fenced(self, relay, relay.threads[loop]):
            return relay.run_round(loop, interrupt)

    def keep_no_more_than(self, window: int) -> None:
        """Sets how many bytes of a partition the broker keeps; 0 means all."""
        settings.KAFKA_WINDOW_BYTES = window
        self.broker.window = window
        for relay in self.relays:
            relay.restart()

    def start_broker_anew(self) -> None:
        """Loses the topic. Workers read and commit on until they have to join again."""
        self.broker.start_anew()

    def wipe_figures(self) -> None:
        """Empties the database of analytics."""
        analytics_database.wipe(self.analytics_url)

    def send_refused_events_again(self) -> None:
        """Sends quarantined events again, after their cause was mended."""
        self.broker.refused.clear()
        requeue_quarantined(QuarantinedEvent.objects.values_list("pk", flat=True), by=None)

    def rebalance(self, workers: int) -> None:
        self.group.rebalance(workers)

    def write_rubbish(self) -> None:
        """Writes a message to the topic that is no event."""
        self.broker.append(Record(None, b"\xff" + self.words.next().encode(), [], None))

    def _set_aside(self, letter: DeadLetter) -> None:
        point("analytics sets aside")
        if self.letters_lost:
            self.letters_lost -= 1
            raise ConnectionError
        self.set_aside.append(letter)

    # The end of a run.

    def heal(self) -> None:
        """Ends all outages, resumes all processes, does the operators' part, and lets time pass."""
        self.broker.is_away = self.billing.is_away = False
        self.letters_lost = 0
        for troubles in (self.broker.troubles, self.billing.troubles, self.figures.troubles):
            troubles.clear()
        for desk in self.desks:
            if desk.is_open:
                self.commit(desk)
        self._let_go_on()
        self.broker.late_requests_come_in()
        self.billing.late_requests_come_in()
        self._mend()
        for round_ in range(ROUNDS):
            self.clock.advance(7 if round_ < 4 else 700)
            self._work()
            if self._is_quiet():
                return
        raise checks.Violation(f"P4: it does not catch up: {self._waiting()}")

    def _let_go_on(self) -> None:
        for relay in self.relays:
            for loop in LOOPS:
                while relay.threads[loop].process.is_stopped:
                    self.run_round(relay, loop)
        for worker in self.workers:
            while worker.process.is_stopped:
                worker.count()
        self.rebalance(2)

    def _mend(self) -> None:
        """Corrects e-mails that billing refused, and sends quarantined events again."""
        for [patient] in run_sql("SELECT id FROM patients_patient WHERE email LIKE 'nobody%%'"):
            run_sql("UPDATE patients_patient SET email = '' WHERE id = %s", [patient])
            self.versions[patient] += 1
        self.send_refused_events_again()

    def _work(self) -> None:
        """Lets each process work until it has nothing to do."""
        for relay in self.relays:
            self.elect(relay)
        for relay in self.relays:
            for loop in LOOPS:
                for _ in range(20):
                    outcome = self.run_round(relay, loop)
                    if (
                        outcome is None
                        or outcome.state == "failed"
                        or outcome.value.name not in ("MORE", "DONE")
                    ):
                        break
        for worker in self.workers:
            while worker.count():
                pass

    def _is_quiet(self) -> bool:
        return not any(self._waiting()) and all(worker.has_read_all() for worker in self.workers)

    def _waiting(self) -> tuple[int, ...]:
        """Returns how many events wait for the broker, and how many patients for billing."""
        return run_sql(
            "SELECT (SELECT count(*) FROM patients_eventoutbox),"
            " (SELECT count(*) FROM billing_billingaccount WHERE next_attempt_at IS NOT NULL)"
        )[0]


@contextmanager
def new_world() -> Iterator[World]:
    """Makes a world with its own databases, and replaces clock, producer and channel."""
    with ExitStack() as stack:
        stack.enter_context(portal_database())
        urls = [
            stack.enter_context(kind.new_database())
            for kind in (billing_database, analytics_database)
        ]
        world = World(*urls)
        stack.callback(connection.close)
        stack.callback(world.end)
        stack.enter_context(override_settings(KAFKA_WINDOW_BYTES=0))
        for place in ("pacing", "services"):
            stack.enter_context(patch(f"portal.events.{place}.LARGEST_MESSAGE", LARGEST_MESSAGE))
        stack.enter_context(patch("portal.events.leases.time", world.clock))
        stack.enter_context(
            patch(
                "portal.events.producer.WaveProducer",
                partial(Producer, world.broker, world.clock.monotonic),
            )
        )
        stack.enter_context(patch("grpc.insecure_channel", lambda *_, **__: Channel(world.billing)))
        stack.enter_context(_points_in(world.analytics_url.database))
        yield world


@contextmanager
def _points_in(database: str) -> Iterator[None]:
    """Adds a point before each statement of a worker."""

    def before(session, *_) -> None:
        if session.engine.url.database == database:
            point("statement", in_transaction=True)

    event.listen(Engine, "before_cursor_execute", before)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", before)
