"""The stores that are compared, by name, and what it is called when one does not answer."""

PATIENTS, LOG, OUTBOX, TOPIC, ANALYTICS, BILLING = (
    "patients",
    "log",
    "outbox",
    "topic",
    "analytics",
    "billing",
)
ALL_STORES = (PATIENTS, LOG, OUTBOX, TOPIC, ANALYTICS, BILLING)


class StoreAway(Exception):
    """The store cannot be read now. The text says which, and what to do; it names no person."""
