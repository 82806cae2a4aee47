"""What the web server itself answers to requests that never reach the portal."""

import json
import uuid
from html import escape
from http import HTTPStatus
from typing import Any

from waitress.task import ErrorTask

from portal.errors import OurFault, PortalError, TooLarge

PROGRAMS = (b"/api/", b"/auth/", b"/health/", b"/metrics")  # Their clients read JSON.
PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title></head>
<body>
<h1>{title}</h1>
<p>{detail}</p>
<p><a href="/">Go to the start page</a></p>
<p>If this goes on, tell an operator the request id: {request_id}</p>
</body>
</html>
"""


class Refusal(ErrorTask):
    """Answers with a problem of RFC 9457 to programs, by the address, and with a page to browsers.

    waitress would answer plain text that names its own settings.
    """

    def execute(self) -> None:
        error = self._error()
        request_id = uuid.uuid4().hex
        if self.request.address.startswith(PROGRAMS):
            kind, body = "application/problem+json", _problem(error, request_id)
        else:
            kind, body = "text/html; charset=utf-8", _page(error, request_id)
        self.status = f"{error.status} {HTTPStatus(error.status).phrase}"
        self.response_headers += [
            ("Content-Type", kind),
            ("Cache-Control", "no-store"),
            ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
            ("X-Content-Type-Options", "nosniff"),
            ("X-Request-Id", request_id),
        ]
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(b"" if self.request.is_head else body)

    def _error(self) -> PortalError:
        settings = self.request.adj
        match self.request.error.code:
            case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
                largest = settings.max_request_body_size // (1024 * 1024)
                return TooLarge(f"Send at most {largest} MB at once.")
            case HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE:
                largest = settings.max_request_header_size // 1024
                return HeadersTooLarge(f"Send at most {largest} KB of address and headers.")
            case HTTPStatus.NOT_IMPLEMENTED:
                return UnknownTransfer("Send the length of the body, or the body in chunks.")
            case HTTPStatus.BAD_REQUEST:
                return PortalError("This is no request as HTTP writes it.")
        return OurFault("Try again; if it stays, tell an operator the request id.")


class HeadersTooLarge(PortalError):
    status, code, title = 431, "headers-too-large", "The address or the headers are too large."


class UnknownTransfer(PortalError):
    status, code, title = 501, "unknown-transfer", "This way to send a body is not known here."


def _problem(error: PortalError, request_id: str) -> bytes:
    members: dict[str, Any] = {
        "type": f"urn:patient-portal:problem:{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "requestId": request_id,
    }
    return json.dumps(members).encode()


def _page(error: PortalError, request_id: str) -> bytes:
    title, detail = escape(error.title), escape(error.detail)
    return PAGE.format(title=title, detail=detail, request_id=request_id).encode()
