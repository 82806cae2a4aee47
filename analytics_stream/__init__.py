"""The stream processor: from the topic of patient events to live figures, with a database of its own."""
