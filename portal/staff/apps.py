"""The app of the shared templates and static files."""

from django.apps import AppConfig


class StaffConfig(AppConfig):
    name = "portal.staff"
