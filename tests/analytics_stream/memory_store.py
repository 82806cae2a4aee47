"""The counts in memory: the rules of `folding` without a database."""

from collections import Counter

from analytics_stream.folding import changes, event_counts, latest, latest_states


class MemoryStore:
    def __init__(self):
        self.seen, self.states, self.counts, self.bookmarks = set(), {}, Counter(), []

    def keep(self, bookmarks):
        self.bookmarks += bookmarks

    def count(self, events, bookmarks=()):
        self.keep(bookmarks)
        fresh = list(
            {event.event_id: event for event in events if event.event_id not in self.seen}.values()
        )
        self.seen |= {event.event_id for event in fresh}
        self.counts.update(event_counts(fresh))
        for read in latest_states(fresh):
            old = self.states.get(read.patient_id)
            new = self.states[read.patient_id] = latest(old, read) if old else read
            for place, step in changes(old, new):
                self.counts[place] += step
        return len(fresh)

    def figures(self):
        """Every count that is not 0."""
        return {place: count for place, count in self.counts.items() if count}
