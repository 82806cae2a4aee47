"""What happened to a record: its log, merges, the timeline, the access log, and undo."""
