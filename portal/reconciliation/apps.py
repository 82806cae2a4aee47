"""Reconciliation as a Django app."""

from django.apps import AppConfig


class ReconciliationConfig(AppConfig):
    name = "portal.reconciliation"
    label = "reconciliation"
