"""Addresses of the figures, for people and for programs."""

from django.urls import path

from portal.analytics import api

app_name = "analytics"

urlpatterns = [
    path("api/analytics", api.Analytics.as_view(), name="api"),
]
