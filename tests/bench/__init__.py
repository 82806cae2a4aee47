"""Benches: `make bench` measures a whole portal, the other modules measure a part each."""
