"""The family of the portal's errors: each has an HTTP status, a code, a title and a detail.

The code is for programs. The detail tells the user what to do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

# What code raises over a row that it has no answer for. A loop sets that row aside, says so, and
# goes on with the others; an error of the database or of the network concerns them all.
ROW_ERRORS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


@dataclass(frozen=True)
class FieldProblem:
    """A fault of a field. `pointer` is the field's name; an answer makes a JSON pointer of it."""

    pointer: str
    code: str
    detail: str


class MemberProblem(FieldProblem):
    """A fault of a member of a body. `pointer` is the member as it was sent, and stays so."""


def camel(name: str) -> str:
    """Returns `familyName` for `family_name`; `identifiers/0/system` keeps its slashes."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def escape_name(name: str) -> str:
    """Returns the name of a member as a part of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


class PortalError(Exception):
    """An error that the user or the client can mend; `extra` becomes members of the answer."""

    status: int = 400
    code: str = "bad-request"
    title: str = "The request cannot be carried out."

    def __init__(
        self, detail: str = "", *, errors: Sequence[FieldProblem] | None = None, **extra: Any
    ) -> None:
        super().__init__(self.code)  # The text of the exception stays free of personal data.
        self.detail, self.errors, self.extra = detail, [*(errors or ())], extra


class InvalidInput(PortalError):
    status, code, title = 400, "invalid-input", "Some fields are wrong."


class NotSignedIn(PortalError):
    status, code, title = 401, "not-signed-in", "Sign in first."


class NotAllowed(PortalError):
    status, code, title = 403, "not-allowed", "You do not have the right to do this."


class FormTooOld(NotAllowed):
    code, title = "form-too-old", "This form was opened before somebody signed in or out here."


class NotFound(PortalError):
    status, code, title = 404, "not-found", "There is nothing at this address."


class WrongForm(PortalError):
    status, code, title = 406, "not-acceptable", "Not Acceptable."


class Conflict(PortalError):
    status, code, title = 409, "conflict", "This does not fit what is already there."


class InFlight(Conflict):
    code, title = "in-flight", "The same request is being carried out at this moment."


class Gone(PortalError):
    status, code, title = 410, "gone", "This is no longer there."


class StaleVersion(PortalError):
    status, code, title = 412, "stale-version", "Someone else changed this meanwhile."


class TooLarge(PortalError):
    status, code, title = 413, "too-large", "This is larger than we take."


class NotJson(PortalError):
    status, code, title = 415, "unsupported-media-type", "Unsupported Media Type."

    def __init__(self) -> None:
        super().__init__("Send JSON in UTF-8, as `application/json`.")


class Unprocessable(PortalError):
    status, code, title = 422, "unprocessable", "This cannot be read."


class KeyUsed(Unprocessable):
    code, title = "key-used", "This Idempotency-Key was used for something else."


class TooMany(PortalError):
    status, code, title = 429, "too-many", "Too many attempts."


class Unavailable(PortalError):
    status, code, title = 503, "unavailable", "A part of the system is away."


class Busy(Unavailable):
    code, title = "busy", "Too many ask for this at once."


class OurFault(PortalError):
    status, code, title = 500, "our-fault", "Something went wrong on our side."


class IncompleteExport(OurFault):
    code, title = "incomplete-export", "The export is not complete."
