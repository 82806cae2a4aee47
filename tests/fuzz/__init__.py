"""Imports of drawn and broken files; see docs/testing.md."""
