"""What pages poll: 304 from memory while nothing has changed, before session, user and view.

A page's script sends the tag of what it shows. A process remembers for a moment which sessions are
signed in, with which rights, and the tag of what each view answered to these rights. Both memories
are short: who is signed out, or has other rights, is asked for anew within a second, and a change
shows with the next poll after half a second. An answer itself is never kept.
"""

import hashlib
import re
from collections.abc import Callable
from time import monotonic
from typing import Any, NamedTuple, TypeVar

from django.conf import settings
from django.db.models.signals import post_delete
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.http.response import HttpResponseBase

from portal.accounts.known_users import changes_of_users
from portal.accounts.models import Session, User
from portal.accounts.rules import user_of
from portal.accounts.sessions import is_fragment
from portal.middleware import on_internal_port

SESSION_SECONDS = 1.0  # How long a process takes a session for signed in without looking.
ANSWER_SECONDS = 0.5  # How old the tag of an answer may be.
MOST_REMEMBERED = 10_000  # Of each; more begin anew, so that the memory stays bounded.
_CSRF_TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="[^"]*"')  # Another in each answer.

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


class Seen(NamedTuple):
    """The rights of a session."""

    rights: frozenset[str]
    at: float


class Answered(NamedTuple):
    """The tag of an answer, and the route that gave it."""

    tag: str
    match: Any
    at: float


_sessions: dict[str, Seen] = {}
_answers: dict[tuple[frozenset[str], str, bool], Answered] = {}


def polled(view: View) -> View:
    """Marks a view whose fragment pages poll; its answer depends on address and rights alone."""
    view.is_polled = True  # type: ignore[attr-defined]  # For `Polls`.
    return view


class Polls:
    """Middleware: gives the answers of polled views a tag, and answers 304 where it is known."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method != "GET" or not is_fragment(request) or on_internal_port(request):
            return self.get_response(request)
        sent = request.headers.get("If-None-Match", "")
        known = _known_answer(request) if sent else None
        if known and known.tag == sent:
            request.resolver_match = known.match  # For logs and metrics.
            return _not_modified(sent)
        asked_at = monotonic()  # A change during the answer may be missing in it.
        response = self.get_response(request)
        is_polled = getattr(getattr(request.resolver_match, "func", None), "is_polled", False)
        if not is_polled or response.status_code not in (200, 304):
            return response
        tag = response.get("ETag") or _tag_of(response)
        _remember(request, tag, asked_at)
        if tag == sent:
            return _not_modified(tag)
        response["ETag"] = tag
        return response


def _not_modified(tag: str) -> HttpResponse:
    return HttpResponseNotModified(headers={"ETag": tag})


def _known_answer(request: HttpRequest) -> Answered | None:
    now = monotonic()
    session = _sessions.get(request.COOKIES.get(settings.SESSION_COOKIE_NAME, ""))
    if session is None or now - session.at >= SESSION_SECONDS:
        return None
    answer = _answers.get(_key(session.rights, request))
    return answer if answer and now - answer.at < ANSWER_SECONDS else None


def _key(rights: frozenset[str], request: HttpRequest) -> tuple[frozenset[str], str, bool]:
    return rights, request.get_full_path(), "HX-Request" in request.headers


def _tag_of(response: HttpResponse) -> str:
    return f'"{hashlib.sha256(_CSRF_TOKEN.sub(b"", response.content)).hexdigest()[:32]}"'


def _remember(request: HttpRequest, tag: str, asked_at: float) -> None:
    cookie = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    if not request.user.is_authenticated or cookie != request.session.session_key:
        return
    rights = _rights_of(user_of(request))
    for memory in (_sessions, _answers):
        if len(memory) >= MOST_REMEMBERED:
            memory.clear()
    _sessions[cookie] = Seen(rights, asked_at)
    _answers[_key(rights, request)] = Answered(tag, request.resolver_match, asked_at)


def _rights_of(user: User) -> frozenset[str]:
    return frozenset(["all"] if user.is_superuser else user.get_all_permissions())


def forget_sessions(*_: object, **__: object) -> None:
    """Makes this process look at every session anew: what it changed itself acts at once."""
    _sessions.clear()


def forget_sessions_after_changes() -> None:
    """Connects the signals of changes; AppConfig.ready calls it once."""
    for signal, sender in [*changes_of_users(), (post_delete, Session)]:
        uid = f"polling.forget_sessions.{sender.__name__}"
        signal.connect(forget_sessions, sender=sender, dispatch_uid=uid)
