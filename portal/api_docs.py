"""The page of the API's documentation."""

from django.http import HttpRequest, HttpResponse
from drf_spectacular.views import SpectacularSwaggerView

from portal.accounts.rules import SIGNED_IN, needs


class ApiDocs(SpectacularSwaggerView):
    """Swagger UI. It has a page, and no description of itself."""

    permission_classes = (needs(SIGNED_IN),)
    url_name = "api-schema"

    def options(self, _request: HttpRequest, *_: object, **__: object) -> HttpResponse:
        """Answers the methods alone: REST framework's answer has no template here."""
        return HttpResponse(status=204, headers={"Allow": "GET, HEAD, OPTIONS"})
