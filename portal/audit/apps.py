"""The audit as a Django app. Patients keep the logs; here are the seals over them."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "portal.audit"
    label = "audit"
