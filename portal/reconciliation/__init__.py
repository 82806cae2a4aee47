"""Reconciliation: proves that patients, log, topic, analytics and billing agree, and mends what does not."""
