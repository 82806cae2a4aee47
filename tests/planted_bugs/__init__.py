"""Planted bugs: each promise is looked after by a check that goes red when the code breaks it."""
