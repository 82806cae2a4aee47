"""Reconciliation: checks that patients, log, topic, analytics and billing agree, and repairs."""
