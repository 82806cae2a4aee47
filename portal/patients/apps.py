"""Patients as a Django app."""

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate

from portal.patients.sql import read_sql
from portal.stored_dates import register_casters


class PatientsConfig(AppConfig):
    name = "portal.patients"
    label = "patients"

    def ready(self) -> None:
        register_casters()
        post_migrate.connect(
            apply_log_trigger_settings, sender=self, dispatch_uid="patients.log_trigger_settings"
        )


def apply_log_trigger_settings(*, using: str, **_: Any) -> None:
    """Runs after each `migrate`, which may have created the log's trigger functions anew."""
    with connections[using].cursor() as cursor:
        cursor.execute(read_sql("log_trigger_settings"))
