"""The page of the API's documentation."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.views import SpectacularSwaggerView

from portal.accounts.rules import SIGNED_IN, needs


class ApiDocs(SpectacularSwaggerView):
    """Swagger UI. It has a page, and no description of itself."""

    permission_classes = (needs(SIGNED_IN),)
    url_name = "api-schema"

    def options(self, request: Any, *_: Any, **__: Any) -> Any:  # noqa: ARG002 - The name is Django's.
        """Answers the methods alone: REST framework's answer has no template here."""
        return HttpResponse(status=204, headers={"Allow": "GET, HEAD, OPTIONS"})
