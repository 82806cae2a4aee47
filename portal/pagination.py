"""Keyset pages of a list: a cursor names the last row of a page, and the next starts after it.

    def accounts_in(status: str, *, after: str = "", limit: int = 50) -> Page[Account]:
        rows = Account.objects.filter(status=status).order_by("-updated_at", "-pk")
        if after:
            at, last_id = decode_cursor(after, key=UUID)
            rows = rows.filter(Q(updated_at__lt=at) | Q(updated_at=at, pk__lt=last_id))
        return page_of(rows, limit=limit, cursor=lambda row: encode_cursor(row.updated_at, row.pk))

A page of the portal links to `?after={{ page.next_cursor }}`; the REST API gives it in `next_link`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, Protocol, TypeVar

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from portal.errors import FieldProblem, InvalidInput

LARGEST_ID = 2**63 - 1  # The largest value of PostgreSQL's bigint.
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Row = TypeVar("Row")
Other = TypeVar("Other")
Key = TypeVar("Key")
Row_co = TypeVar("Row_co", covariant=True)


class Rows(Protocol[Row_co]):
    """A query set, a list or another sequence."""

    def __getitem__(self, part: slice, /) -> Iterable[Row_co]: ...


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Some rows of a list, and the cursor of the page after them; it is empty on the last page."""

    rows: Sequence[Row]
    next_cursor: str = ""

    def with_rows(self, rows: Iterable[Other]) -> "Page[Other]":
        """Returns a page that shows other rows and goes on at the same place."""
        return Page(list(rows), self.next_cursor)


def page_of(rows: Rows[Row], *, limit: int, cursor: Callable[[Row], str]) -> Page[Row]:
    """Returns the first `limit` rows; `cursor` names the last of them where more rows follow.

    It reads one row more than it shows, which is how it knows.
    """
    found = list(rows[: limit + 1])
    shown = found[:limit]
    return Page(shown, cursor(shown[-1]) if len(found) > limit else "")


def encode_cursor(at: datetime, key: object) -> str:
    """Returns `1795817512123456.12`: microseconds since 1970, and the key of a row of that moment.

    It holds nothing personal, since addresses are logged.
    """
    return f"{to_microseconds(at)}.{key}"


def decode_cursor(cursor: str, *, key: Callable[[str], Key]) -> tuple[datetime, Key]:
    """Returns the moment and the key of a cursor. InvalidInput if it is not one of ours.

    `key` reads the key's text and raises ValueError where it cannot: UUID or `row_id`.
    """
    microseconds, _, text = cursor.partition(".")
    try:
        return from_microseconds(int(microseconds)), key(text)
    except (ValueError, OverflowError) as error:
        raise bad_cursor() from error


def to_microseconds(at: datetime) -> int:
    """Returns the microseconds since 1970."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def from_microseconds(number: int) -> datetime:
    """Returns the moment so many microseconds after 1970 began. OverflowError beyond all years."""
    return _EPOCH + timedelta(microseconds=number)


def row_id(text: str) -> int:
    """Returns the number in a text of digits. ValueError for another text, or beyond a bigint."""
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST_ID))
    if not is_number or int(text) > LARGEST_ID:
        raise ValueError("not the id of a row")
    return int(text)


def bad_cursor() -> InvalidInput:
    """Returns the error for a cursor that none of our pages gave."""
    message = "This cursor is not one of ours. Start again without it."
    return InvalidInput(errors=[FieldProblem("cursor", "bad-cursor", message)])


def number_in(request: HttpRequest, name: str) -> int | None:
    """Returns the number that the query gives to `name`, None where it gives none. InvalidInput."""
    text = request.GET.get(name, "").strip()
    try:
        return row_id(text) if text else None
    except ValueError as error:
        message = "This address is not one of ours. Start again from the tab."
        raise InvalidInput(errors=[FieldProblem(name, "not-a-number", message)]) from error


def next_link(request: HttpRequest | Request, next_cursor: str) -> dict[str, str]:
    """Returns the Link header of a REST list (RFC 8288) that leads to the next page, if any.

    The body of such a list is a plain array; the pagination classes of Django REST framework would
    wrap it in an object.
    """
    if not next_cursor:
        return {}
    address = replace_query_param(request.build_absolute_uri(), "cursor", next_cursor)
    return {"Link": f'<{address}>; rel="next"'}
