"""The tests mirror the tree; end_to_end runs real processes."""
