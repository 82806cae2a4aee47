"""All steps of a run. hypothesis draws them in any order, and shrinks a failure to a few steps.

There are few rules and each does much, since hypothesis leaves out rules in each run.
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
    "billing": ("", "statement", "billing is called", "billing has answered"),
    "counting": (
        "",
        "statement",
        "analytics has counted",
        "analytics acknowledges",
        "analytics sets aside",
    ),
}
ROUNDS = 6  # of a loop in a step, at most
pair_numbers = st.integers(0, 1)
patient_numbers = st.integers(0, 20)
fields = st.sampled_from(desks.FIELDS)
seconds = st.sampled_from([0.0, 0.5, 3.0, 7.0, 31.0, 700.0])


def interrupts(work: str) -> st.SearchStrategy[Interrupt | None]:
    """Draws an interrupt for half of the rounds."""
    interrupt = st.builds(
        Interrupt, dies=st.booleans(), at=st.sampled_from(PLACES[work]), nth=st.integers(1, 8)
    )
    return st.one_of(st.none(), interrupt)


def troubles(names) -> st.SearchStrategy[str]:
    """Draws a trouble for half of the calls; an empty name is none."""
    return st.one_of(st.just(""), st.sampled_from(sorted(names)))


class Clinic(RuleBasedStateMachine):
    """A run: the steps below in any order, then repair and comparison of everything."""

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
        """Compares all stores, unless a promise is broken already."""
        if sys.exc_info()[0] is None:
            self.world.heal()
            checks.at_the_end(self.world)

    # Users.

    @initialize(act=st.sampled_from(desks.REGISTRATIONS), window=st.sampled_from([0, 0, 5_000]))
    def there_is_a_patient(self, act, window) -> None:
        """Starts with a broker that keeps everything, or `window` bytes of each partition."""
        self.world.keep_no_more_than(window)
        self.world.write(partial(act, self.world.words))

    @rule(act=st.sampled_from(desks.REGISTRATIONS), desk=st.sampled_from([None, None, 0, 1]))
    def register(self, act, desk) -> None:
        """Registers in a transaction of its own, or in the open one of a desk."""
        self.world.write(partial(act, self.world.words), self.opened(desk))

    @rule(
        acts=st.lists(st.sampled_from(desks.CORRECTIONS), min_size=1, max_size=3),
        number=patient_numbers,
        field=fields,
    )
    def correct(self, acts, number, field) -> None:
        """Corrects a patient, sometimes several times before the relay sends."""
        for act, patient in product(acts, self.free(number)):
            self.world.write(partial(act, self.world.words, patient, field))

    @rule(
        act=st.sampled_from(desks.CORRECTIONS),
        number=patient_numbers,
        field=fields,
        desk=pair_numbers,
    )
    def correct_and_leave_it_open(self, act, number, field, desk) -> None:
        for patient in self.free(number):
            self.world.write(partial(act, self.world.words, patient, field), self.opened(desk))

    @rule(act=st.sampled_from(desks.OTHER_CHANGES), number=patient_numbers)
    def change_in_another_way(self, act, number) -> None:
        for patient in self.free(number):
            self.world.write(partial(act, self.world.words, patient))

    @rule(answers_lost=st.integers(0, 2))
    def register_with_a_key(self, answers_lost) -> None:
        self.world.write(
            partial(desks.register_with_a_key, self.world.words, answers_lost=answers_lost)
        )

    @rule(at=pair_numbers, commits=st.sampled_from([True, True, False]))
    def end_what_is_open(self, at, commits) -> None:
        desk = self.world.desks[at]
        if desk.is_open and commits:
            self.world.commit(desk)
        elif desk.is_open:
            desk.roll_back()

    # Processes.

    @rule(
        at=pair_numbers,
        after=seconds,
        trouble=troubles(broker.TROUBLES),
        interrupt=interrupts("events"),
    )
    def send(self, at, after, trouble, interrupt) -> None:
        if trouble:
            self.world.broker.troubles.append(trouble)
        self.take_rounds("events", at, after, interrupt)

    @rule(
        at=pair_numbers,
        after=seconds,
        trouble=troubles(network.TROUBLES),
        interrupt=interrupts("billing"),
    )
    def charge(self, at, after, trouble, interrupt) -> None:
        if trouble:
            self.world.billing.troubles.append(trouble)
        self.take_rounds("billing", at, after, interrupt)

    @rule(
        at=pair_numbers,
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
        at=pair_numbers,
        after=seconds,
        lost=troubles(broker.TROUBLES),
        unpaid=troubles(network.TROUBLES),
    )
    def all_work(self, at, after, lost, unpaid) -> None:
        """Lets all processes work, as they do all day."""
        self.world.broker.troubles.extend([lost] if lost else [])
        self.world.billing.troubles.extend([unpaid] if unpaid else [])
        self.take_rounds("events", at, after, None)
        self.take_rounds("billing", at, 0.0, None)
        for worker in self.world.workers:
            worker.count()

    @rule(
        at=pair_numbers, loop=st.sampled_from(LOOPS), place=st.integers(0, 3), nth=st.integers(1, 8)
    )
    def a_leader_falls_asleep(self, at, loop, place, nth) -> None:
        """Stops a leader in the middle of a round until the other relay leads and works."""
        self.take_rounds(loop, at, 0.0, Interrupt(dies=False, at=PLACES[loop][place], nth=nth))
        self.world.clock.advance(7)
        self.take_rounds(loop, 1 - at, 0.0, None)

    @rule(at=pair_numbers, loop=st.sampled_from(LOOPS))
    def a_sleeping_relay_wakes(self, at, loop) -> None:
        for relay in (self.world.relays[at], self.world.relays[1 - at]):
            if relay.threads[loop].process.is_stopped:
                self.world.run_round(relay, loop)

    @rule(process=st.integers(0, 3))
    def kill(self, process) -> None:
        [*self.world.relays, *self.world.workers][process].restart()
        if process > 1:
            self.world.rebalance(2)

    # The network, the operators and the time.

    @rule(away=st.sampled_from(["", "", "broker", "billing"]), after=seconds)
    def go_away_or_come_back(self, away, after) -> None:
        self.world.broker.is_away, self.world.billing.is_away = away == "broker", away == "billing"
        self.world.clock.advance(after)

    @rule()
    def late_requests_come_in(self) -> None:
        self.world.broker.late_requests_come_in()
        self.world.billing.late_requests_come_in()

    @rule(what=st.sampled_from(["topic", "figures", "a worker", "both workers"]))
    def lose(self, what) -> None:
        """Loses a whole store, or a worker."""
        if what == "topic":
            self.world.start_broker_anew()
        elif what == "figures":
            self.world.wipe_figures()
        else:
            self.world.rebalance(1 if what == "a worker" else 2)

    @rule()
    def rubbish_comes_in(self) -> None:
        self.world.write_rubbish()

    @rule(number=patient_numbers)
    def replay(self, number) -> None:
        """Replays everything, or a patient's events."""
        if number == 0:
            replay_all()
        for patient in self.free(number):
            replay_patient(patient)

    @rule()
    def send_refused_events_again(self) -> None:
        self.world.send_refused_events_again()

    # How the rules choose.

    def take_rounds(self, loop, at, after, interrupt) -> None:
        """Runs rounds of the leading relay, or of relay `at` if it wins the election."""
        self.world.clock.advance(after)
        relay = next((relay for relay in self.world.relays if relay.leads), self.world.relays[at])
        self.world.elect(relay)
        for _ in range(ROUNDS):
            outcome = self.world.run_round(relay, loop, interrupt)
            if outcome is None or outcome.value is not Round.MORE:
                break

    def free(self, number: int) -> list[UUID]:
        """Returns a patient that no open transaction has locked, as a list; or none."""
        taken = desks.locked_patients(self.world.desks)
        free = [patient for patient in self.world.versions if patient not in taken]
        return [free[number % len(free)]] if free else []

    def opened(self, at: int | None) -> desks.Desk | None:
        desk = None if at is None else self.world.desks[at]
        if desk and not desk.is_open:
            desk.begin()
        return desk
