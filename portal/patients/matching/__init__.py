"""Matching: whether two records may be one person, for one, for many, and at the door."""
