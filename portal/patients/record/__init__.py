"""What the pages of one patient tell: the frame, the timeline, the history, and who looked."""
