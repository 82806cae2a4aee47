"""All addresses of the portal; each area has a module `urls` of its own."""

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

from portal import health, metrics
from portal.accounts.rules import SIGNED_IN, needs
from portal.accounts.views.authentication import sign_in_to_admin
from portal.api_docs import ApiDocs

handler400 = "portal.problems.bad_request"
handler403 = "portal.problems.forbidden"
handler404 = "portal.problems.not_found"
handler500 = "portal.problems.server_error"

signed_in = [needs(SIGNED_IN)]
admin.autodiscover()  # Before `admin.site.urls`, which lists what is registered by then.

urlpatterns = [
    path("admin/login/", sign_in_to_admin),  # Before the admin's own page of this address.
    path("admin/", admin.site.urls),
    path("api/schema", SpectacularAPIView.as_view(permission_classes=signed_in), name="api-schema"),
    path("api/docs", ApiDocs.as_view(), name="api-docs"),
    path("health/live", health.show_liveness),
    path("health/ready", health.show_readiness),
    path("metrics", metrics.show_metrics),
    path("", include("portal.staff.urls")),
    path("", include("portal.accounts.urls")),
    path("", include("portal.patients.urls")),
    path("", include("portal.duplicates.urls")),
    path("", include("portal.billing.urls")),
    path("", include("portal.imports.urls")),
    path("", include("portal.analytics.urls")),
    path("", include("portal.audit.urls")),
    path("", include("portal.reconciliation.urls")),
]
