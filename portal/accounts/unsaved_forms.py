"""What somebody had typed when the session ended: kept for them alone, and back on the page after they signed in again.

It lies in the browser's session at the server, never in the browser itself and never in a log. It goes when it has been
shown, when somebody else signs in, when anybody signs out, and after two hours.
"""

import time
from dataclasses import asdict, dataclass
from typing import Any

from django.http import HttpRequest

from portal.accounts.form_owners import TOKEN_FIELD, owner_of_form

KEY = "unsaved"
KEPT_SECONDS = 2 * 60 * 60
MADE_BY_PAGES = {"token", "opened", "version", "next", "shown"}
LARGEST = 100_000  # Characters. A form of ours has a few hundred.


@dataclass(frozen=True)
class Unsaved:
    """The fields of a form by name, the page where it stood, where it was to be sent, and until when it is kept."""

    owner: int
    page: str
    action: str
    fields: list[tuple[str, str]]
    until: float

    @property
    def shown(self) -> list[tuple[str, str]]:
        """What a person typed, in words; what the page itself had put into the form says nothing to them."""
        typed = [
            (name, value) for name, value in self.fields if value and name not in MADE_BY_PAGES
        ]
        return [(name.replace("_", " ").capitalize(), value) for name, value in typed]


def keep(request: HttpRequest, *, page: str, action: str) -> bool:
    """Keep the sent form for its owner. False, and nothing kept, where that is not the one who is signed in now."""
    owner, fields = owner_of_form(request), _typed(request)
    is_of_another = request.user.is_authenticated and request.user.pk != owner
    if owner is None or is_of_another or sum(len(value) for _, value in fields) > LARGEST:
        return False
    if not request.user.is_authenticated:
        request.session.set_expiry(KEPT_SECONDS)
    request.session[KEY] = asdict(Unsaved(owner, page, action, fields, time.time() + KEPT_SECONDS))
    return True


def is_kept(request: HttpRequest) -> bool:
    """Whether the sign-in page may say that text waits."""
    return KEY in request.session


def hand_over(request: HttpRequest, user: Any, **_: Any) -> None:
    """Somebody has signed in: what is another's goes, and the session lasts as long as any other."""
    if request.session.get(KEY, {}).get("owner") != user.pk:
        request.session.pop(KEY, None)
    request.session.set_expiry(None)


def take(request: HttpRequest) -> Unsaved | None:
    """What is kept for this page, once; the page carries it from then on."""
    kept = request.session.get(KEY)
    if not kept or kept["page"] != request.get_full_path():
        return None
    del request.session[KEY]
    is_theirs = request.user.pk == kept["owner"] and time.time() < kept["until"]
    return Unsaved(**kept) if is_theirs else None


def _typed(request: HttpRequest) -> list[tuple[str, str]]:
    """All fields as they came; passwords are typed anew."""
    fields = [(name, value) for name, values in request.POST.lists() for value in values]
    return [
        (name, value) for name, value in fields if name != TOKEN_FIELD and "password" not in name
    ]
