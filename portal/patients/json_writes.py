"""Takes patients as JSON from programs without REST framework's work around each request.

What a program does is done by the same view method; REST framework answers every error of it, and
every other request: browsers, other methods, bodies that are no JSON.
"""

import io
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from portal.accounts.tokens import bearer_of
from portal.browser_middleware import is_program
from portal.errors import InvalidInput
from portal.json_bodies import BoundedJSONParser
from portal.patients.json_reads import JsonReads

Headers = dict[str, str]
# What programs send; any other Accept header is negotiated.
PLAIN_ACCEPTS = ("*/*", "application/json", "application/json, text/plain, */*")


class JsonWrites(JsonReads):
    """A REST view whose `write_json` answers programs that send JSON.

    It takes the user, the request, the members of the body and what the route captures, and returns
    the JSON of the answer and its headers. `rights` names the right that each method needs.
    """

    rights: dict[str, str]
    write_status: int = 200
    write_json: Callable[..., tuple[str, Headers]]
    _fault: Exception | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if is_json_of_program(request):
            user, right = bearer_of(request), self.rights.get(request.method or "")
            if user and right and user.has_perm(right):
                try:
                    members = _members_in(request)
                    answer, headers = self.write_json(user, request, members, **kwargs)
                except Exception as fault:  # REST framework finds the words for it.
                    self._fault = fault
                else:
                    return self._json_answer(answer, headers)
        return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Raises what went wrong already, so that nothing is done a second time."""
        super().initial(request, *args, **kwargs)
        if self._fault:
            raise self._fault

    def _json_answer(self, answer: str, headers: Headers) -> HttpResponse:
        allowed = ", ".join(self.allowed_methods)
        return HttpResponse(
            answer,
            status=self.write_status,
            content_type="application/json",
            headers={"Allow": allowed, "Vary": "Accept", **headers},
        )


def is_json_of_program(request: HttpRequest) -> bool:
    """Returns whether a program sends a JSON body of a known length."""
    return (
        request.method in {"POST", "PUT", "PATCH"}
        and request.content_type == "application/json"
        and request.META.get("CONTENT_LENGTH", "0") not in {"", "0"}
        and request.META.get("HTTP_ACCEPT", "*/*") in PLAIN_ACCEPTS
        and "format" not in request.GET
        and is_program(request)
    )


def _members_in(request: HttpRequest) -> dict[str, Any]:
    members = BoundedJSONParser().parse(io.BytesIO(request.body), request.META["CONTENT_TYPE"])
    if not isinstance(members, dict):
        raise InvalidInput("Send a JSON object.")
    return members
