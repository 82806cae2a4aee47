"""Everything that may happen, in any order: hypothesis draws it, and shrinks what breaks a promise to a few steps."""

import sys
from functools import partial
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from portal.events.models import QuarantinedEvent
from portal.events.replay import replay_all, replay_patient
from portal.events.services import send_again
from tests.simulator import billing as network
from tests.simulator import broker, checks, desks
from tests.simulator.processes import Interrupt
from tests.simulator.world import LOOPS, World

PLACES = ("", "statement", "the broker gets", "the broker answers", "billing is called", "billing has done it")
COUNTING = ("", "statement", "analytics has counted", "analytics acknowledges", "analytics sets aside")
either = st.integers(0, 1)
anyone = st.integers(0, 20)
fields = st.sampled_from(desks.FIELDS)


def interrupts(places: tuple[str, ...]) -> st.SearchStrategy[Interrupt | None]:
    """Half of all rounds go through."""
    some = st.builds(Interrupt, dies=st.booleans(), at=st.sampled_from(places), nth=st.integers(1, 8))
    return st.one_of(st.none(), some)


class Clinic(RuleBasedStateMachine):
    """A run: the steps below in any order, then everything is healed and compared."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.world.clear()

    @invariant()
    def every_promise_is_kept(self) -> None:
        checks.after_each_step(self.world)

    def teardown(self) -> None:
        """Not after a broken promise: its own words count."""
        if sys.exc_info()[0] is None:
            self.world.heal()
            checks.at_the_end(self.world)

    # People.

    @rule(act=st.sampled_from(desks.NEW))
    def register(self, act) -> None:
        self.world.write(partial(act, self.world.words))

    @rule(answers_lost=st.integers(0, 2))
    def register_with_a_key(self, answers_lost) -> None:
        self.world.write(partial(desks.register_with_a_key, self.world.words, answers_lost=answers_lost))

    @precondition(lambda self: self.free())
    @rule(act=st.sampled_from(desks.CORRECTIONS), who=anyone, field=fields)
    def correct(self, act, who, field) -> None:
        self.world.write(partial(act, self.world.words, self.pick(who), field))

    @precondition(lambda self: self.free())
    @rule(act=st.sampled_from(desks.OTHERS), who=anyone)
    def change_in_another_way(self, act, who) -> None:
        self.world.write(partial(act, self.world.words, self.pick(who)))

    @rule(at=either, act=st.sampled_from(desks.NEW))
    def register_and_leave_it_open(self, at, act) -> None:
        self.world.write(partial(act, self.world.words), self.opened(at))

    @precondition(lambda self: self.free())
    @rule(at=either, act=st.sampled_from(desks.CORRECTIONS), who=anyone, field=fields)
    def correct_and_leave_it_open(self, at, act, who, field) -> None:
        self.world.write(partial(act, self.world.words, self.pick(who), field), self.opened(at))

    @rule(at=either, commits=st.sampled_from([True, True, False]))
    def end_what_is_open(self, at, commits) -> None:
        desk = self.world.desks[at]
        if desk.is_open and commits:
            self.world.commit(desk)
        elif desk.is_open:
            desk.roll_back()

    # Processes.

    @rule(first=either)
    def all_take_a_turn(self, first) -> None:
        """As they do all day."""
        for relay in (self.world.relays[first], self.world.relays[1 - first]):
            self.world.stand(relay)
            for loop in LOOPS:
                self.world.turn(relay, loop)
        for worker in self.world.workers:
            worker.count()

    @rule(at=either)
    def stand_for_election(self, at) -> None:
        self.world.stand(self.world.relays[at])

    @rule(at=either, loop=st.sampled_from(LOOPS), interrupt=interrupts(PLACES))
    def turn(self, at, loop, interrupt) -> None:
        relay = self.world.relays[at]
        if not relay.leads and not relay.turns[loop].process.is_stopped:
            self.world.stand(relay)
        self.world.turn(relay, loop, interrupt)

    @rule(at=either, loop=st.sampled_from(LOOPS), place=st.sampled_from(PLACES), nth=st.integers(1, 8))
    def a_leader_falls_asleep(self, at, loop, place, nth) -> None:
        """In the middle of a round, for so long that the other one leads when it wakes."""
        sleeper, other = self.world.relays[at], self.world.relays[1 - at]
        self.world.stand(sleeper)
        self.world.turn(sleeper, loop, Interrupt(dies=False, at=place, nth=nth))
        self.world.clock.pass_by(7)
        self.world.stand(other)

    @rule(at=either)
    def kill_a_relay(self, at) -> None:
        self.world.relays[at].restart()

    @rule(at=either, interrupt=interrupts(COUNTING), commits=st.booleans())
    def count(self, at, interrupt, commits) -> None:
        self.world.workers[at].count(interrupt, commits=commits)

    @rule(at=either)
    def kill_a_worker(self, at) -> None:
        self.world.workers[at].restart()
        self.world.rebalance(2)

    @rule(workers=st.integers(1, 2))
    def rebalance(self, workers) -> None:
        self.world.rebalance(workers)

    # The time, the network and the operators.

    @rule(seconds=st.sampled_from([0.5, 2.0, 5.0, 7.0, 31.0, 700.0]))
    def time_passes(self, seconds) -> None:
        self.world.clock.pass_by(seconds)

    @rule(trouble=st.sampled_from(sorted(broker.TROUBLES)))
    def the_broker_will_fail(self, trouble) -> None:
        self.world.broker.troubles.append(trouble)

    @rule(trouble=st.sampled_from(network.TROUBLES))
    def billing_will_fail(self, trouble) -> None:
        self.world.billing.troubles.append(trouble)

    @rule(trouble=st.sampled_from(["away", "reply lost"]))
    def the_figures_will_fail(self, trouble) -> None:
        self.world.figures.troubles.append(trouble)

    @rule()
    def the_figures_are_lost(self) -> None:
        self.world.wipe_figures()

    @rule(broker_is_away=st.booleans(), billing_is_away=st.booleans())
    def go_away_or_come_back(self, broker_is_away, billing_is_away) -> None:
        self.world.broker.is_away, self.world.billing.is_away = broker_is_away, billing_is_away

    @rule()
    def late_requests_come_in(self) -> None:
        self.world.broker.late_requests_come_in()
        self.world.billing.late_requests_come_in()

    @rule()
    def the_broker_starts_anew(self) -> None:
        self.world.start_broker_anew()

    @rule(letters_lost=st.integers(0, 8))
    def rubbish_comes_in(self, letters_lost) -> None:
        self.world.write_rubbish()
        self.world.letters_lost = letters_lost

    @rule(who=anyone)
    def replay(self, who) -> None:
        """A patient's events, or all."""
        if self.world.versions and who:
            replay_patient(self.pick(who))
        else:
            replay_all()

    @rule()
    def send_refused_events_again(self) -> None:
        checks.note_quarantined(self.world)
        send_again(QuarantinedEvent.objects.values_list("pk", flat=True), by=None)

    # Who can be written to without waiting for an open transaction.

    def free(self) -> list[UUID]:
        taken = desks.held(self.world.desks)
        return [patient for patient in self.world.versions if patient not in taken]

    def pick(self, number: int) -> UUID:
        free = self.free()
        return free[number % len(free)] if free else next(iter(self.world.versions))

    def opened(self, at: int) -> desks.Desk:
        desk = self.world.desks[at]
        if not desk.is_open:
            desk.begin()
        return desk
