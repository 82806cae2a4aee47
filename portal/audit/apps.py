"""The audit as a Django app. It stores nothing: patients keep both logs."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "portal.audit"
    label = "audit"
