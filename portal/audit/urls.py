"""Addresses of the audit."""

from django.urls import path

from portal.audit import views

app_name = "audit"

urlpatterns = [
    path("audit/", views.index, name="list"),
    path("audit/export/", views.export, name="export"),
    path("audit/<int:record_id>/", views.show, name="show"),
]
