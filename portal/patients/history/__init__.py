"""What happened to a record: the log in words, the timeline, who looked, and undo."""
