"""How answers over HTTP say times and errors."""

import json
from datetime import UTC, datetime
from http import HTTPStatus

from aiohttp import web


def iso(time: datetime) -> str:
    """The time in UTC by ISO 8601 with milliseconds."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def problem(status: HTTPStatus, title: str) -> web.Response:
    """An error by RFC 9457."""
    body = json.dumps({"type": "about:blank", "title": title, "status": status})
    return web.Response(text=body, status=status, content_type="application/problem+json")


def database_away() -> web.Response:
    """503, to be asked again."""
    answer = problem(HTTPStatus.SERVICE_UNAVAILABLE, "The figures' database is away. Try again.")
    answer.headers["Retry-After"] = "1"
    return answer
