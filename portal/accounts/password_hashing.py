"""Argon2 for few passwords at once, since each takes 100 MB of memory while it is hashed."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.hashers import Argon2PasswordHasher

from portal.errors import Unavailable

# Passwords that a process hashes at once. One keeps up to eight cores busy, so that more at once
# would only take more memory.
AT_ONCE = min(2, os.cpu_count() or 1)
WAIT_SECONDS = 10.0  # That a password waits for its turn, then its request is refused.
RETRY_SECONDS = 5  # That a refused client is told to wait.

_turns = threading.BoundedSemaphore(AT_ONCE)


class BoundedArgon2Hasher(Argon2PasswordHasher):
    """Checks and sets passwords like Django's own, AT_ONCE in a process.

    Raises Unavailable, as 503 with the seconds to wait, where none gets its turn. A password that
    was not looked at does not count for the lockout.
    """

    def encode(self, password: str, salt: str) -> str:
        with _turn():
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        with _turn():
            return super().verify(password, encoded)


@contextmanager
def _turn() -> Iterator[None]:
    if not _turns.acquire(timeout=WAIT_SECONDS):
        message = "Many people sign in at this moment. Nothing was changed: try again in a moment."
        raise Unavailable(message, retryAfter=RETRY_SECONDS)
    try:
        yield
    finally:
        _turns.release()
