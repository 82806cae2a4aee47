"""Times and errors in answers over HTTP."""

import json
from datetime import UTC, datetime
from http import HTTPStatus

from aiohttp import web


def format_time(time: datetime) -> str:
    """Returns the time in UTC by ISO 8601 with milliseconds."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def problem_response(status: HTTPStatus, title: str) -> web.Response:
    """Returns an error by RFC 9457."""
    body = json.dumps({"type": "about:blank", "title": title, "status": status})
    return web.Response(text=body, status=status, content_type="application/problem+json")


def database_away_response() -> web.Response:
    """Returns a 503 that asks the caller to try again."""
    answer = problem_response(
        HTTPStatus.SERVICE_UNAVAILABLE, "The figures' database is away. Try again."
    )
    answer.headers["Retry-After"] = "1"
    return answer
