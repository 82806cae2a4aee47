"""Search: what a typed text may mean, and the patients it finds."""
