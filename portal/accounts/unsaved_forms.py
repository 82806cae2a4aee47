"""Text that a user had typed when the session ended: it is kept for the same user's next sign-in.

The text lies in the session on the server, never in the browser itself and never in a log. It is
deleted once it has been shown, when another user signs in, when any user signs out, and after two
hours.
"""

import re
import time
from dataclasses import asdict, dataclass
from typing import Any

from django.http import HttpRequest

from portal.accounts.form_owners import TOKEN_FIELD, owner_of_form

KEY = "unsaved"  # In the session.
TTL_SECONDS = 2 * 60 * 60  # Older text is not shown any more.
MAX_CHARACTERS = 100_000  # A longer form is not kept; ours have a few hundred characters.
FIELDS_OF_PAGES = {"token", "opened", "version", "next", "shown"}  # Hidden; nobody types into them.


@dataclass(frozen=True)
class UnsavedForm:
    """A form by its fields, the page where it stood, its target, and the time when it expires."""

    owner: int
    page: str
    action: str
    fields: list[tuple[str, str]]
    until: float

    @property
    def shown(self) -> list[tuple[str, str]]:
        """The typed fields as label and value, without those that the page itself had filled."""
        shown = []
        for name, value in self.fields:
            is_count_of_rows = name.endswith("_FORMS")  # of a formset
            if value and name not in FIELDS_OF_PAGES and not is_count_of_rows:
                shown.append((re.sub("[_-]", " ", name).capitalize(), value))
        return shown


def keep_form(request: HttpRequest, *, page: str, action: str) -> bool:
    """Keeps the posted form for its owner.

    Returns False, and keeps nothing, for a form of unknown owner or of another user than the one
    who is signed in now.
    """
    owner, fields = owner_of_form(request), _typed_fields(request)
    is_of_another = request.user.is_authenticated and request.user.pk != owner
    size = sum(len(value) for _, value in fields)
    if owner is None or is_of_another or size > MAX_CHARACTERS:
        return False
    if not request.user.is_authenticated:
        request.session.set_expiry(TTL_SECONDS)
    form = UnsavedForm(owner, page, action, fields, until=time.time() + TTL_SECONDS)
    request.session[KEY] = asdict(form)
    return True


def has_kept_form(request: HttpRequest) -> bool:
    """Returns whether the sign-in page may say that text is kept."""
    return KEY in request.session


def hand_over_form(request: HttpRequest, user: Any, **_: Any) -> None:
    """Drops another user's form at sign-in, and gives the session its usual lifetime again."""
    if request.session.get(KEY, {}).get("owner") != user.pk:
        request.session.pop(KEY, None)
    request.session.set_expiry(None)


def take_form(request: HttpRequest) -> UnsavedForm | None:
    """Returns the form kept for this page, once: from then on the page carries it."""
    kept = request.session.get(KEY)
    if not kept or kept["page"] != request.get_full_path():
        return None
    del request.session[KEY]
    is_theirs = request.user.pk == kept["owner"] and time.time() < kept["until"]
    return UnsavedForm(**kept) if is_theirs else None


def _typed_fields(request: HttpRequest) -> list[tuple[str, str]]:
    """Returns all posted fields except passwords, which the user types again."""
    typed = []
    for name, values in request.POST.lists():
        if name != TOKEN_FIELD and "password" not in name:
            typed += [(name, value) for value in values]
    return typed
