"""Where a page of a list ends: a moment and the key of its last row, in a text that may stand in an address."""

from datetime import UTC, datetime, timedelta

from django.http import HttpRequest

from portal.errors import FieldProblem, InvalidInput

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def cursor_of(at: datetime, key: object) -> str:
    """`1795817512123456.12`: microseconds, since rows of one second must be told apart."""
    return f"{(at - _EPOCH) // timedelta(microseconds=1)}.{key}"


def place_of(cursor: str) -> tuple[datetime, str]:
    """The moment and the key; InvalidInput for what is no cursor of ours."""
    moment, _, key = cursor.partition(".")
    try:
        return _EPOCH + timedelta(microseconds=int(moment)), key
    except (ValueError, OverflowError) as error:
        raise bad_cursor() from error


def bad_cursor() -> InvalidInput:
    """The error of a list that is asked to go on from nowhere."""
    words = "This cursor is not one of ours. Start again without it."
    return InvalidInput(errors=[FieldProblem("cursor", "bad-cursor", words)])


LARGEST = 2**63 - 1  # Of the database's bigint.


def number_in(request: HttpRequest, name: str) -> int | None:
    """The number of this name in the query; None where there is none, InvalidInput where it is something else."""
    text = request.GET.get(name, "").strip()
    if not text:
        return None
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST))
    if not (is_number and int(text) <= LARGEST):
        words = "This address is not one of ours. Start again from the tab."
        raise InvalidInput(errors=[FieldProblem(name, "not-a-number", words)])
    return int(text)
