"""The stream processor: it turns the topic of patient events into live figures, in its own
database."""
