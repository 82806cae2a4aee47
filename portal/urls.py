"""Every address of the portal: each area brings its own."""

from django.contrib import admin
from django.urls import include, path

handler400 = "portal.problems.bad_request"
handler403 = "portal.problems.forbidden"
handler404 = "portal.problems.not_found"
handler500 = "portal.problems.server_error"

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("portal.accounts.urls")),
    path("", include("portal.patients.urls")),
]
