"""Who read and who wrote: the access log and the event log as one trail."""
