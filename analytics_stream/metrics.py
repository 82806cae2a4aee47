"""The metrics that operators can watch at /metrics. No label names a patient."""

from prometheus_client import Counter, Gauge, Histogram

FOLDED = Counter("analytics_events_folded", "Events counted for the first time.")
DUPLICATES = Counter("analytics_events_duplicate", "Events read again that were counted before.")
DEAD_LETTERS = Counter(
    "analytics_dead_letters", "Messages that could not be counted, sent to the dead-letter topic."
)
STORE_FAILURES = Counter(
    "analytics_store_failures", "Tries to count a batch while the database was away."
)
BATCH_SECONDS = Histogram("analytics_batch_seconds", "Time to count a batch, with every try.")
LAG_SECONDS = Gauge(
    "analytics_lag_seconds", "Age of the oldest event not counted yet; 0 when caught up."
)
MESSAGES_BEHIND = Gauge(
    "analytics_messages_behind", "Messages on our partitions that are not counted yet."
)
GAPS = Gauge("analytics_gaps", "Patients with an earlier event that was never counted.")
