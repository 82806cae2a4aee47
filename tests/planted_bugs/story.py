"""A short story about the simulated system; the promises are looked at after each of its sentences."""

from functools import partial
from uuid import UUID

from django.contrib.auth.models import Group

from portal.accounts.models import User
from portal.relay_loops import Round
from tests.simulator import checks, desks
from tests.simulator.processes import Interrupt
from tests.simulator.world import World

LEASE_SECONDS = 7.0  # After this long without renewing, a relay leads no more.


class Telling:
    """What happens to one world, in words of one line each. It ends with everything healed and compared."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.clear()

    def end(self) -> None:
        self.world.heal()
        checks.at_the_end(self.world)

    # People.

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
        self._look()

    def roll_back(self, desk: int) -> None:
        self.world.desks[desk].roll_back()
        self._look()

    # Processes.

    def relay(self, loop: str, number: int = 0, *, stops: str = "", dies: str = "") -> None:
        """Rounds of a relay that leads until it has nothing more to do now, or the rest of one that was stopped."""
        relay = self.world.relays[number]
        if not relay.turns[loop].process.is_stopped:
            self.lead(number)
        interrupt = Interrupt(dies=bool(dies), at=stops or dies) if stops or dies else None
        while (news := self.world.turn(relay, loop, interrupt)) and news.value is Round.MORE:
            pass
        happened = news.state if news else "nothing"
        assert happened in (
            [stops and "stopped", dies and "died"] if interrupt else ["done", "failed"]
        ), happened
        self._look()

    def lead(self, number: int) -> None:
        self.world.stand(self.world.relays[number])

    def another_leads(self, *, clock_stands_still: bool = False) -> None:
        """While the first relay sleeps; where its machine was suspended, it knows nothing of the time that passed."""
        self.world.clock.pass_by(LEASE_SECONDS)
        if clock_stands_still:
            self.world.relays[0].seconds_behind += LEASE_SECONDS
        self.lead(1)

    def count(self, *, dies: str = "", nth: int = 1, commits: bool = True) -> None:
        """Both workers read and count what is there."""
        for worker in self.world.workers:
            worker.count(Interrupt(dies=True, at=dies, nth=nth) if dies else None, commits=commits)
        self._look()

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
        self._look()

    def _write(self, act, desk: int | None) -> UUID:
        patient = next(
            iter(self.world.write(act, None if desk is None else self.world.desks[desk]))
        )
        self._look()
        return patient

    def _look(self) -> None:
        checks.after_each_step(self.world)
