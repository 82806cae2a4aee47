"""Numbers that addresses of pages carry."""

from django.http import HttpRequest

from portal.errors import FieldProblem, InvalidInput

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
