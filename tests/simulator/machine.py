"""Everything that may happen, in any order: hypothesis draws it, and shrinks what breaks a promise to a few steps.

There are few rules and each does much, since hypothesis leaves out some of the rules in each run.
"""

import sys
from functools import partial
from itertools import product
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from portal.events.replay import replay_all, replay_patient
from portal.relay_loops import Round
from tests.simulator import billing as network
from tests.simulator import broker, checks, desks
from tests.simulator.processes import Interrupt
from tests.simulator.world import LOOPS, World

PLACES = {
    "events": ("", "statement", "the broker gets", "the broker answers"),
    "billing": ("", "statement", "billing is called", "billing has done it"),
    "counting": (
        "",
        "statement",
        "analytics has counted",
        "analytics acknowledges",
        "analytics sets aside",
    ),
}
ROUNDS = 6  # A loop that always has more to do is not waited for.
either = st.integers(0, 1)
anyone = st.integers(0, 20)
fields = st.sampled_from(desks.FIELDS)
seconds = st.sampled_from([0.0, 0.5, 3.0, 7.0, 31.0, 700.0])


def interrupts(work: str) -> st.SearchStrategy[Interrupt | None]:
    """Half of all rounds go through."""
    some = st.builds(
        Interrupt, dies=st.booleans(), at=st.sampled_from(PLACES[work]), nth=st.integers(1, 8)
    )
    return st.one_of(st.none(), some)


def troubles(names) -> st.SearchStrategy[str]:
    """Half of all calls go well; an empty name is no trouble."""
    return st.one_of(st.just(""), st.sampled_from(sorted(names)))


class Clinic(RuleBasedStateMachine):
    """A run: the steps below in any order, then everything is healed and compared."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.world.clear()
        self.steps = 0

    @invariant()
    def every_promise_is_kept(self) -> None:
        self.steps += 1
        checks.after_each_step(self.world)

    def teardown(self) -> None:
        """Not after a broken promise: its own words count."""
        if sys.exc_info()[0] is None:
            self.world.heal()
            checks.at_the_end(self.world)

    # People.

    @initialize(act=st.sampled_from(desks.NEW), window=st.sampled_from([0, 0, 5_000]))
    def there_is_a_patient(self, act, window) -> None:
        """On a broker that keeps everything, or one that keeps no more than `window` bytes of a partition."""
        self.world.keep_no_more_than(window)
        self.world.write(partial(act, self.world.words))

    @rule(act=st.sampled_from(desks.NEW), desk=st.sampled_from([None, None, 0, 1]))
    def register(self, act, desk) -> None:
        """In a transaction of its own, or in the one that a desk leaves open."""
        self.world.write(partial(act, self.world.words), self.opened(desk))

    @rule(
        acts=st.lists(st.sampled_from(desks.CORRECTIONS), min_size=1, max_size=3),
        who=anyone,
        field=fields,
    )
    def correct(self, acts, who, field) -> None:
        """Now and then several times, before the relay comes past."""
        for act, patient in product(acts, self.free(who)):
            self.world.write(partial(act, self.world.words, patient, field))

    @rule(act=st.sampled_from(desks.CORRECTIONS), who=anyone, field=fields, desk=either)
    def correct_and_leave_it_open(self, act, who, field, desk) -> None:
        for patient in self.free(who):
            self.world.write(partial(act, self.world.words, patient, field), self.opened(desk))

    @rule(act=st.sampled_from(desks.OTHERS), who=anyone)
    def change_in_another_way(self, act, who) -> None:
        for patient in self.free(who):
            self.world.write(partial(act, self.world.words, patient))

    @rule(answers_lost=st.integers(0, 2))
    def register_with_a_key(self, answers_lost) -> None:
        self.world.write(
            partial(desks.register_with_a_key, self.world.words, answers_lost=answers_lost)
        )

    @rule(at=either, commits=st.sampled_from([True, True, False]))
    def end_what_is_open(self, at, commits) -> None:
        desk = self.world.desks[at]
        if desk.is_open and commits:
            self.world.commit(desk)
        elif desk.is_open:
            desk.roll_back()

    # Processes.

    @rule(
        at=either, after=seconds, trouble=troubles(broker.TROUBLES), interrupt=interrupts("events")
    )
    def send(self, at, after, trouble, interrupt) -> None:
        if trouble:
            self.world.broker.troubles.append(trouble)
        self.take_rounds("events", at, after, interrupt)

    @rule(
        at=either,
        after=seconds,
        trouble=troubles(network.TROUBLES),
        interrupt=interrupts("billing"),
    )
    def charge(self, at, after, trouble, interrupt) -> None:
        if trouble:
            self.world.billing.troubles.append(trouble)
        self.take_rounds("billing", at, after, interrupt)

    @rule(
        at=either,
        trouble=troubles(["away", "reply lost"]),
        letters_lost=st.integers(0, 8),
        interrupt=interrupts("counting"),
        commits=st.booleans(),
    )
    def count(self, at, trouble, letters_lost, interrupt, commits) -> None:
        if trouble:
            self.world.figures.troubles.append(trouble)
        self.world.letters_lost = letters_lost
        self.world.workers[at].count(interrupt, commits=commits)
        self.world.workers[1 - at].count()

    @rule(
        at=either, after=seconds, lost=troubles(broker.TROUBLES), unpaid=troubles(network.TROUBLES)
    )
    def all_work(self, at, after, lost, unpaid) -> None:
        """As they do all day."""
        self.world.broker.troubles.extend([lost] if lost else [])
        self.world.billing.troubles.extend([unpaid] if unpaid else [])
        self.take_rounds("events", at, after, None)
        self.take_rounds("billing", at, 0.0, None)
        for worker in self.world.workers:
            worker.count()

    @rule(at=either, loop=st.sampled_from(LOOPS), place=st.integers(0, 3), nth=st.integers(1, 8))
    def a_leader_falls_asleep(self, at, loop, place, nth) -> None:
        """In the middle of a round, for so long that the other one leads and works when it wakes."""
        self.take_rounds(loop, at, 0.0, Interrupt(dies=False, at=PLACES[loop][place], nth=nth))
        self.world.clock.pass_by(7)
        self.take_rounds(loop, 1 - at, 0.0, None)

    @rule(at=either, loop=st.sampled_from(LOOPS))
    def who_sleeps_wakes(self, at, loop) -> None:
        for relay in (self.world.relays[at], self.world.relays[1 - at]):
            if relay.turns[loop].process.is_stopped:
                self.world.turn(relay, loop)

    @rule(process=st.integers(0, 3))
    def kill(self, process) -> None:
        [*self.world.relays, *self.world.workers][process].restart()
        if process > 1:
            self.world.rebalance(2)

    # The network, the operators and the time.

    @rule(away=st.sampled_from(["", "", "broker", "billing"]), after=seconds)
    def go_away_or_come_back(self, away, after) -> None:
        self.world.broker.is_away, self.world.billing.is_away = away == "broker", away == "billing"
        self.world.clock.pass_by(after)

    @rule()
    def late_requests_come_in(self) -> None:
        self.world.broker.late_requests_come_in()
        self.world.billing.late_requests_come_in()

    @rule(what=st.sampled_from(["topic", "figures", "one worker", "two workers"]))
    def lose(self, what) -> None:
        """A whole store, or a worker."""
        if what == "topic":
            self.world.start_broker_anew()
        elif what == "figures":
            self.world.wipe_figures()
        else:
            self.world.rebalance(1 if what == "one worker" else 2)

    @rule()
    def rubbish_comes_in(self) -> None:
        self.world.write_rubbish()

    @rule(who=anyone)
    def replay(self, who) -> None:
        """Everything, or a patient's events."""
        if who == 0:
            replay_all()
        for patient in self.free(who):
            replay_patient(patient)

    @rule()
    def send_refused_events_again(self) -> None:
        self.world.send_refused_events_again()

    # How the rules choose.

    def take_rounds(self, loop, at, after, interrupt) -> None:
        """By the relay that leads; where none does, by that one if it is elected. One that was stopped goes on."""
        self.world.clock.pass_by(after)
        relay = next((relay for relay in self.world.relays if relay.leads), self.world.relays[at])
        self.world.stand(relay)
        for _ in range(ROUNDS):
            news = self.world.turn(relay, loop, interrupt)
            if news is None or news.value is not Round.MORE:
                break

    def free(self, number: int) -> list[UUID]:
        """One patient whom no open transaction has locked, or none."""
        taken = desks.held(self.world.desks)
        free = [patient for patient in self.world.versions if patient not in taken]
        return [free[number % len(free)]] if free else []

    def opened(self, at: int | None) -> desks.Desk | None:
        desk = None if at is None else self.world.desks[at]
        if desk and not desk.is_open:
            desk.begin()
        return desk
