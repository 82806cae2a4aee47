"""Counts in memory: the rules of `folding` without a database."""

from collections import Counter

from analytics_stream.folding import add_changes, event_counts, latest, latest_states


class MemoryStore:
    def __init__(self):
        self.seen, self.states, self.counts, self.updates = set(), {}, Counter(), []

    def save_offsets(self, updates):
        self.updates += updates

    def count(self, events, updates=()):
        self.save_offsets(updates)
        unseen = {event.event_id: event for event in events if event.event_id not in self.seen}
        self.seen.update(unseen)
        fresh = list(unseen.values())
        self.counts.update(event_counts(fresh))
        for state in latest_states(fresh):
            old = self.states.get(state.patient_id)
            new = self.states[state.patient_id] = latest(old, state) if old else state
            add_changes(self.counts, [(old, new)])
        return len(fresh)

    def figures(self):
        """Returns every count that is not 0."""
        return {place: count for place, count in self.counts.items() if count}
