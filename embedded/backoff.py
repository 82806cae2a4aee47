"""How long what ended is left alone before it is started again."""

FIRST_SECONDS = 0.2
LONGEST_SECONDS = 30.0
STEADY_SECONDS = 60  # Who ran this long before it ended begins with the first pause.


class Pauses:
    """The pauses of one program: each is twice the one before."""

    def __init__(self, *, longest_seconds: float = LONGEST_SECONDS) -> None:
        self._next, self._longest_seconds = FIRST_SECONDS, longest_seconds

    def after(self, ran_seconds: float) -> float:
        """The pause to make now that the program has ended."""
        if ran_seconds > STEADY_SECONDS:
            self._next = FIRST_SECONDS
        pause, self._next = self._next, min(2 * self._next, self._longest_seconds)
        return pause
