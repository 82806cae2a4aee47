"""Addresses of the figures, for users and for programs."""

from django.urls import path

from portal.analytics import api, views

app_name = "analytics"

urlpatterns = [
    path("dashboard/", views.dashboard, name="dashboard"),
    path("dashboard/live/", views.live, name="live"),
    path("api/analytics", api.Analytics.as_view(), name="api"),
]
