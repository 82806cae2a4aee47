"""`make fault`: the whole system under load and faults, and a check of everything that its stores hold afterwards."""
