"""The browsable API: its pages need inline scripts that the staff's pages do not get."""

from typing import Any

from django.conf import settings
from rest_framework.renderers import BrowsableAPIRenderer


class BrowsableRenderer(BrowsableAPIRenderer):
    """REST framework's pages, with the relaxed policy and without a HTML form for each row of a list."""

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> str:
        page = super().render(data, accepted_media_type, renderer_context)
        renderer_context["response"]._csp_update = settings.CSP_RELAXED
        return page
