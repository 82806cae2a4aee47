"""Analytics as a Django app."""

from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    name = "portal.analytics"
    label = "analytics"
