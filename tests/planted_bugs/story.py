"""A short story about the simulated system; the promises are checked after each step."""

from functools import partial
from uuid import UUID

from django.contrib.auth.models import Group

from portal.accounts.models import User
from portal.relay_loops import Round
from tests.simulator import checks, desks
from tests.simulator.processes import Interrupt
from tests.simulator.world import World

LEASE_SECONDS = 7.0  # longer than a lease lasts without renewal


class Story:
    """The steps of a story, a line each. `end` repairs and compares everything."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.clear()

    def end(self) -> None:
        self.world.heal()
        checks.at_the_end(self.world)

    # Users.

    def register(self, act=desks.register_at_the_desk, *, desk: int | None = None) -> UUID:
        return self._write(partial(act, self.world.words), desk)

    def change(
        self,
        patient: UUID,
        field="given_name",
        act=desks.correct_at_the_desk,
        *,
        desk: int | None = None,
    ) -> None:
        self._write(partial(act, self.world.words, patient, field), desk)

    def register_through_the_api(self, *, answers_lost: int) -> None:
        program, _ = User.objects.get_or_create(email="program@clinic.example")
        program.groups.add(Group.objects.get(name="front desk"))
        register = partial(
            desks.register_through_the_api, self.world.words, program, answers_lost=answers_lost
        )
        self._write(register, None)

    def begin(self, desk: int) -> None:
        self.world.desks[desk].begin()

    def commit(self, desk: int) -> None:
        self.world.commit(self.world.desks[desk])
        self._check()

    def roll_back(self, desk: int) -> None:
        self.world.desks[desk].roll_back()
        self._check()

    # Processes.

    def relay(self, loop: str, number: int = 0, *, stops: str = "", dies: str = "") -> None:
        """Runs rounds of a leading relay until nothing waits, or the rest of a stopped one."""
        relay = self.world.relays[number]
        if not relay.threads[loop].process.is_stopped:
            self.lead(number)
        interrupt = Interrupt(dies=bool(dies), at=stops or dies) if stops or dies else None
        while (
            outcome := self.world.run_round(relay, loop, interrupt)
        ) and outcome.value is Round.MORE:
            pass
        happened = outcome.state if outcome else "nothing"
        assert happened in (
            [stops and "stopped", dies and "died"] if interrupt else ["done", "failed"]
        ), happened
        self._check()

    def lead(self, number: int) -> None:
        self.world.elect(self.world.relays[number])

    def another_leads(self, *, clock_stands_still: bool = False) -> None:
        """Lets the second relay lead while the first one sleeps.

        With `clock_stands_still` the machine of the first one was suspended.
        """
        self.world.clock.advance(LEASE_SECONDS)
        if clock_stands_still:
            self.world.relays[0].seconds_behind += LEASE_SECONDS
        self.lead(1)

    def count(self, *, dies: str = "", nth: int = 1, commits: bool = True) -> None:
        """Lets both workers count the waiting messages."""
        for worker in self.world.workers:
            worker.count(Interrupt(dies=True, at=dies, nth=nth) if dies else None, commits=commits)
        self._check()

    # What goes wrong, and what operators do.

    def the_broker_will(self, trouble: str) -> None:
        self.world.broker.troubles.append(trouble)

    def billing_will(self, trouble: str) -> None:
        self.world.billing.troubles.append(trouble)

    def late_requests_come_in(self) -> None:
        self.world.broker.late_requests_come_in()
        self.world.billing.late_requests_come_in()

    def send_refused_events_again(self) -> None:
        self.world.send_refused_events_again()
        self._check()

    def _write(self, act, desk: int | None) -> UUID:
        patient = next(
            iter(self.world.write(act, None if desk is None else self.world.desks[desk]))
        )
        self._check()
        return patient

    def _check(self) -> None:
        checks.after_each_step(self.world)
