"""`make bench`: how quick the whole portal is on this machine, as the rows of docs/performance.md."""
