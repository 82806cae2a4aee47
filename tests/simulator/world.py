"""Everything put together: what a run may do to the system, and how it is left alone to catch up."""

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
from tests.simulator.databases import OURS, portal_database, tell
from tests.simulator.desks import Acts, Desk, Words
from tests.simulator.processes import Interrupt, News, point
from tests.simulator.relays import RelayProcess
from tests.simulator.workers import Consumers, UnsureStore, Worker

LOOPS = ("events", "billing")
LARGEST_MESSAGE = 2_000  # A window must have room for one; those here are smaller.
ROUNDS = 30  # Waiting rows are due after ten minutes at most.


class World:
    """One system. `clear` makes it new for the next run; see `new_world`."""

    def __init__(self, billing_url: object, analytics_url: object) -> None:
        self.clock = Clock(tell)
        self.billing_url, self.analytics_url = billing_url, analytics_url
        self.accounts, self.store = Accounts(connect(billing_url)), Store(analytics_url)
        self.broker, self.billing, self.figures = (
            Broker(),
            Billing(self.accounts),
            UnsureStore(self.store),
        )
        loops = {
            "events": self._events_loop,
            "billing": lambda: BillingLoop(clock=self.clock.monotonic),
        }
        self.group = Consumers(self.broker)
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
        """Nobody was ever registered, and nothing goes wrong."""
        for desk in self.desks:
            if desk.is_open:
                desk.roll_back()
        tell("SET lock_timeout = 0")
        tell(f"TRUNCATE {OURS} RESTART IDENTITY CASCADE")
        tell("RESET lock_timeout")
        billing_database.tell(self.billing_url, "TRUNCATE billing_account RESTART IDENTITY")
        analytics_database.wipe(self.analytics_url)
        self.clock.set_back()
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
        for one in self.desks:
            one.end()
        for relay in self.relays:
            relay.end()
        for worker in self.workers:
            worker.end()
        self.store.close()

    # What people and the machines do.

    def write(self, act: Callable[[], Acts], desk: Desk | None = None) -> Acts:
        """Through a door: in its own transaction, or in the one that a desk has open."""
        if desk:
            return desk.act(act)
        done = act()
        self.versions.update(done)
        return done

    def commit(self, desk: Desk) -> None:
        self.versions.update(desk.commit())

    def stand(self, relay: RelayProcess) -> None:
        relay.stand()
        checks.one_leads(self)

    def turn(
        self, relay: RelayProcess, loop: str, interrupt: Interrupt | None = None
    ) -> News | None:
        """A round of a loop of this relay, or the rest of the one it was stopped in."""
        with checks.nothing_written_by_the_fenced(self, relay, relay.turns[loop]):
            return relay.turn(loop, interrupt)

    def keep_no_more_than(self, window: int) -> None:
        """The relays know what the broker keeps of a partition; 0 is everything."""
        settings.KAFKA_WINDOW_BYTES = window
        self.broker.window = window
        for relay in self.relays:
            relay.restart()

    def start_broker_anew(self) -> None:
        """Its topic is gone. Workers read and commit on as if nothing had been, until they have to join again."""
        self.broker.start_anew()

    def wipe_figures(self) -> None:
        """The database of analytics is made anew, as before the first event."""
        analytics_database.wipe(self.analytics_url)

    def send_refused_events_again(self) -> None:
        """Operators have mended what made the broker refuse them."""
        self.broker.refused.clear()
        requeue_quarantined(QuarantinedEvent.objects.values_list("pk", flat=True), by=None)

    def rebalance(self, workers: int) -> None:
        self.group.rebalance(workers)

    def write_rubbish(self) -> None:
        """Somebody else's message, which is no event."""
        self.broker.append(Record(None, b"\xff" + self.words.next().encode(), [], None))

    def _set_aside(self, letter: DeadLetter) -> None:
        point("analytics sets aside")
        if self.letters_lost:
            self.letters_lost -= 1
            raise ConnectionError
        self.set_aside.append(letter)

    # The end of a run.

    def heal(self) -> None:
        """Everything that was away is back, who was stopped goes on, operators do their part, and time passes."""
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
            self.clock.pass_by(7 if round_ < 4 else 700)
            self._work()
            if self._is_quiet():
                return
        raise checks.Violation(f"P4: it does not catch up: {self._waiting()}")

    def _let_go_on(self) -> None:
        for relay in self.relays:
            for loop in LOOPS:
                while relay.turns[loop].process.is_stopped:
                    self.turn(relay, loop)
        for worker in self.workers:
            while worker.process.is_stopped:
                worker.count()
        self.rebalance(2)

    def _mend(self) -> None:
        """What operators do: addresses that billing refused are corrected, refused events are sent again."""
        for [patient] in tell("SELECT id FROM patients_patient WHERE email LIKE 'nobody%%'"):
            tell("UPDATE patients_patient SET email = '' WHERE id = %s", [patient])
            self.versions[patient] += 1
        self.send_refused_events_again()

    def _work(self) -> None:
        """Each process turns until it has nothing to do now."""
        for relay in self.relays:
            self.stand(relay)
        for relay in self.relays:
            for loop in LOOPS:
                for _ in range(20):
                    news = self.turn(relay, loop)
                    if (
                        news is None
                        or news.state == "failed"
                        or news.value.name not in ("MORE", "DONE")
                    ):
                        break
        for worker in self.workers:
            while worker.count():
                pass

    def _is_quiet(self) -> bool:
        return not any(self._waiting()) and all(worker.has_read_all() for worker in self.workers)

    def _waiting(self) -> tuple[int, ...]:
        """How many events wait for the broker, and how many patients for billing."""
        return tell(
            "SELECT (SELECT count(*) FROM patients_eventoutbox),"
            " (SELECT count(*) FROM billing_billingaccount WHERE next_attempt_at IS NOT NULL)"
        )[0]


@contextmanager
def new_world() -> Iterator[World]:
    """With databases of its own. Only the outermost edges of the product are exchanged: clock, producer, channel."""
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
                "portal.events.producer.KafkaProducer",
                partial(Producer, world.broker, world.clock.monotonic),
            )
        )
        stack.enter_context(patch("grpc.insecure_channel", lambda *_, **__: Channel(world.billing)))
        stack.enter_context(_points_in(world.analytics_url.database))
        yield world


@contextmanager
def _points_in(database: str) -> Iterator[None]:
    """A worker can die before each statement too."""

    def before(session, *_) -> None:
        if session.engine.url.database == database:
            point("statement", in_transaction=True)

    event.listen(Engine, "before_cursor_execute", before)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", before)
