"""The form of an answer of the REST API: by `?format=` or the Accept header."""

from typing import Any

from django.http import Http404
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation


class Negotiation(DefaultContentNegotiation):
    """REST framework's, but an unknown `format` is 406 as an unknown Accept is, and no 404."""

    def filter_renderers(self, renderers: Any, format: str) -> Any:  # noqa: A002 - Its own name.
        try:
            return super().filter_renderers(renderers, format)
        except Http404 as error:
            raise NotAcceptable from error
