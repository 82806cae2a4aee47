"""Planted bugs: each promise has a check that fails when the code breaks it."""
