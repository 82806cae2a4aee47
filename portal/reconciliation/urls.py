"""The addresses of reconciliation."""

from django.urls import path

from portal.reconciliation import views

app_name = "reconciliation"

urlpatterns = [
    path("reconciliation/", views.index, name="list"),
    path("reconciliation/check/", views.check, name="check"),
    path("reconciliation/<uuid:report_id>/", views.show, name="show"),
]
