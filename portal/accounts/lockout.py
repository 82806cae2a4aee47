"""What somebody sees who tried too many passwords."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from portal.errors import TooMany
from portal.problems import answer


def too_many_attempts(request: HttpRequest, *_: Any, **__: Any) -> HttpResponse:
    """429 with the wait, the same for known and unknown users."""
    wait = int(settings.AXES_COOLOFF_TIME.total_seconds())
    return answer(
        request,
        TooMany(
            f"Too many wrong passwords. Wait {wait // 60} minutes, or ask an operator to unlock you.",
            retryAfter=wait,
        ),
    )
