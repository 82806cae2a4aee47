"""The audit: access log and event log as one list, and seals that prove them unchanged."""
