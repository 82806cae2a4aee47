"""Values that cost time to compute, kept for some seconds in the memory of each process.

The cache is Django's. `counts = CachedValue("billing.counts", count_accounts, ttl_seconds=5)` makes
a function `counts()` that counts once in five seconds.
"""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from django.core.cache import cache

COUNT_TTL_SECONDS = 5.0  # A count of a large table may be this old.
LARGE_TABLE_ROWS = 50_000  # Counts of fewer rows take milliseconds and are not cached.

Value = TypeVar("Value")


class CachedValue(Generic[Value]):
    """Calling it returns what `compute` returned at most `ttl_seconds` ago.

    One thread computes a value that is too old. The others get the older one meanwhile, and wait
    only where there is none. A value that is not `worth_keeping` is computed for every call. An
    error of `compute` goes to the caller, and the next call computes again.
    """

    def __init__(
        self,
        key: str,
        compute: Callable[[], Value],
        *,
        ttl_seconds: float,
        worth_keeping: Callable[[Value], bool] = lambda _: True,
    ) -> None:
        self.key, self.ttl_seconds = key, ttl_seconds
        self._older_key = f"{key}.older"
        self._compute, self._worth_keeping = compute, worth_keeping
        self._lock = threading.Lock()

    def __call__(self) -> Value:
        value: Value | None = cache.get(self.key)
        if value is not None:
            return value
        older: Value | None = cache.get(self._older_key)
        if not self._lock.acquire(blocking=older is None) and older is not None:
            return older
        try:
            value = self._compute()
            if self._worth_keeping(value):
                cache.set(self.key, value, self.ttl_seconds)
                cache.set(self._older_key, value, None)
            else:
                cache.delete_many([self.key, self._older_key])
            return value
        finally:
            self._lock.release()

    def expire(self) -> None:
        """Makes the next call compute, while other threads get the older value as usual."""
        cache.delete(self.key)
