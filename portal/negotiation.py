"""The form of an answer of the REST API: by `?format=` or the Accept header."""

from typing import Any

from django.http import Http404
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation

from portal.browser_middleware import is_program

PAGE = "text/html"


class Negotiation(DefaultContentNegotiation):
    """REST framework's, with two differences.

    An unknown `format` is 406 as an unknown Accept is, and no 404. A program gets no page: it has
    passed by the middleware that pages need.
    """

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        if is_program(request):
            renderers = [renderer for renderer in renderers if renderer.media_type != PAGE]
        try:
            return super().select_renderer(request, renderers, format_suffix)
        except (Http404, NotAcceptable) as error:
            raise NotAcceptable(available_renderers=renderers) from error
