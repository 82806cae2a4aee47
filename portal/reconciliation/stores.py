"""The names of the stores that are compared, in the order in which changes flow."""

PATIENTS = "patients"
LOG = "log"
OUTBOX = "outbox"
TOPIC = "topic"
ANALYTICS = "analytics"
BILLING = "billing"
PATIENCE_SECONDS = 10.0  # That a change on its way may take to arrive in all stores.
ALL_STORES = (PATIENTS, LOG, OUTBOX, TOPIC, ANALYTICS, BILLING)


class StoreAway(Exception):
    """The store cannot be read now. The text says which and what to do; it names no person."""
