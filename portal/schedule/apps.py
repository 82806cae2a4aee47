"""The schedule as a Django app."""

from django.apps import AppConfig


class ScheduleConfig(AppConfig):
    name = "portal.schedule"
    label = "schedule"
