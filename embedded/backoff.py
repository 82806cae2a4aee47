"""The pauses before a program that ended is started again."""

FIRST_SECONDS = 0.2  # The first pause.
LONGEST_SECONDS = 30.0  # No pause is longer.
STEADY_SECONDS = 60  # After a program ran this long the pauses begin again with the first.


class Backoff:
    """The pauses of one program: each is twice the one before."""

    def __init__(self, *, longest_seconds: float = LONGEST_SECONDS) -> None:
        self._next, self._longest_seconds = FIRST_SECONDS, longest_seconds

    def next_pause(self, ran_seconds: float) -> float:
        """Returns the seconds to wait, after a program ended that had run for `ran_seconds`."""
        if ran_seconds > STEADY_SECONDS:
            self._next = FIRST_SECONDS
        pause, self._next = self._next, min(2 * self._next, self._longest_seconds)
        return pause
