"""Duplicates as a Django app. It stores nothing of its own: the pairs are tables of patients."""

from django.apps import AppConfig


class DuplicatesConfig(AppConfig):
    name = "portal.duplicates"
    label = "duplicates"

    def ready(self) -> None:
        from portal.duplicates import signals
        from portal.duplicates.selectors import duplicates_notice
        from portal.patients.extensions import register_notice

        signals.connect()
        register_notice(duplicates_notice)
